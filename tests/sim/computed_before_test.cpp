#include "sim/computed_before.hpp"

#include <doctest/doctest.h>

namespace {

tokenyard::workload::Request prompt(std::int64_t tokens, std::vector<std::uint64_t> prefix,
                                    std::int64_t session = -1, std::int64_t output = 1) {
  tokenyard::workload::Request r;
  r.input_tokens = tokens;
  r.output_tokens = output;
  r.prefix = std::move(prefix);
  r.session = session;
  return r;
}

}  // namespace

TEST_CASE("computed before: as many whole blocks as others had at their front") {
  tokenyard::sim::ComputedBefore known(100);
  CHECK(known.note(prompt(350, {1, 2, 3})) == 0);
  CHECK(known.note(prompt(520, {1, 2, 3, 4, 5})) == 300);
  CHECK(known.note(prompt(450, {1, 2, 8, 9})) == 200);
  CHECK(known.note(prompt(450, {1, 2, 8, 9})) == 400);
}

TEST_CASE("computed before: a session's context, prompt and answer, but no more than repeats it") {
  tokenyard::sim::ComputedBefore known(100);
  CHECK(known.note(prompt(1000, {}, 7, 200)) == 0);
  CHECK(known.note(prompt(1300, {}, 7, 50)) == 1200);
  tokenyard::workload::Request compacted = prompt(400, {}, 7);
  compacted.history_tokens = 100;
  CHECK(known.note(compacted) == 100);
  CHECK(known.note(prompt(500, {}, 8)) == 0);
}
