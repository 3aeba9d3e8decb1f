#include <doctest/doctest.h>

#include <algorithm>

#include "trace_files.hpp"
#include "workload/trace_stats.hpp"

using namespace tokenyard;
using namespace tokenyard::workload;

namespace {

const std::string kWorkloads = std::string(TOKENYARD_SOURCE_DIR) + "/workloads";

OpenOptions options() {
  return {.directory = kWorkloads, .fallback = {}, .seed = 1, .rate_scale = 1.0};
}

// Opens a shipped workload whose trace is not shipped, when it is there.
std::unique_ptr<RequestStream> open_public(const std::string& name) {
  const std::optional<std::string> data = real_data();
  if (!data) {
    MESSAGE("skipped: no public traces; set TOKENYARD_DATA");
    return nullptr;
  }
  OpenOptions opened = options();
  opened.fallback = *data + "/traces";
  return open_stream(load_workload(kWorkloads + '/' + name + ".yaml"), opened);
}

}  // namespace

TEST_CASE(
    "every shipped workload is valid, named like its file, and says where its numbers come from") {
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kWorkloads)) {
    // The number formats of models and the conditions of published runs stand beside the workloads.
    const std::string stem = entry.path().stem().string();
    if (entry.path().extension() != ".yaml" || stem == "formats" || stem == "published-conditions")
      continue;
    CAPTURE(entry.path().string());
    const WorkloadSpec spec = load_workload(entry.path().string());
    CHECK(spec.name == entry.path().stem().string());
    CHECK_FALSE(spec.description.empty());
    CHECK_FALSE(spec.source.empty());
    ++found;
    if (!spec.generator) continue;
    const auto stream = open_stream(spec, options());
    Request r;
    for (int i = 0; i < 1000 && stream->next(r); ++i) {
      CHECK(r.input_tokens >= 1);
      CHECK(r.output_tokens >= 1);
    }
  }
  CHECK(found >= 10);
}

TEST_CASE("the shipped traces are what their generators make with seed 1") {
  const auto check_frozen = [](const std::string& trace, const std::string& generator,
                               std::int64_t count) {
    WorkloadSpec spec = load_workload(kWorkloads + '/' + generator + ".yaml");
    spec.generator->requests = count;
    const std::vector<Request> made = all_of(spec, options());
    const std::vector<Request> shipped =
        all_of(load_workload(kWorkloads + '/' + trace + ".yaml"), options());
    REQUIRE(made.size() == shipped.size());
    CHECK(made == shipped);
  };
  check_frozen("chat-2000", "chat-poisson", 2000);
  check_frozen("agents-40", "agents-coding", 40);
}

TEST_CASE(
    "the Mooncake conversation trace: 12,031 requests in 59 minutes, 37 % of tokens in an infinite "
    "cache") {
  const auto stream = open_public("mooncake-conversation");
  if (!stream) return;
  const TraceStats s = compute_stats(*stream);
  CHECK(s.requests == 12'031);
  // 3,537 s to the last timestamp, and its requests spread over the three seconds behind it.
  CHECK(s.duration_s > 3537.0);
  CHECK(s.duration_s < 3540.0);
  CHECK(s.distinct_blocks == 182'790);
  CHECK(s.prefix_hit_rate == doctest::Approx(0.3736).epsilon(0.001));
  CHECK(s.input_per_output == doctest::Approx(35.1).epsilon(0.01));
}

TEST_CASE(
    "the Azure 2023 traces: 19,366 and 8,819 requests, the gaps of the code trace 13 times as "
    "irregular") {
  const auto chat = open_public("azure-2023-conversation");
  const auto code = open_public("azure-2023-code");
  if (!chat || !code) return;
  const TraceStats a = compute_stats(*chat);
  const TraceStats b = compute_stats(*code);
  CHECK(a.requests == 19'366);
  CHECK(a.input_tokens.mean == doctest::Approx(1155).epsilon(0.001));
  CHECK(a.gap_cv == doctest::Approx(1.09).epsilon(0.01));
  CHECK(b.requests == 8'819);
  CHECK(b.output_tokens.mean == doctest::Approx(27.9).epsilon(0.001));
  CHECK(b.gap_cv == doctest::Approx(13.15).epsilon(0.01));
}

TEST_CASE(
    "the coding-agent sessions: 692 sessions with 63 sub-agents, 46,218 rounds, 269 tokens in for "
    "one out") {
  const auto stream = open_public("coding-agent-sessions");
  if (!stream) return;
  const TraceStats s = compute_stats(*stream);
  CHECK(s.requests == 46'218);
  CHECK(s.arrivals == 692);
  CHECK(s.sessions == 692 + 63);
  CHECK(s.input_per_output == doctest::Approx(269).epsilon(0.01));
  CHECK(s.skipped_lines == 0);
}

TEST_CASE(
    "in the coding-agent sessions nobody waits for a later round, and a session's turns count from "
    "0") {
  const auto stream = open_public("coding-agent-sessions");
  if (!stream) return;
  std::vector<std::int32_t> turns;
  std::int64_t roots = 0;
  double last_arrival_s = 0.0;
  for (Request r; stream->next(r);) {
    for (const std::int64_t id : r.after) REQUIRE(id < r.id);
    REQUIRE(r.session <= static_cast<std::int64_t>(turns.size()));
    if (r.session == static_cast<std::int64_t>(turns.size())) turns.push_back(0);
    REQUIRE(r.turn == turns[static_cast<std::size_t>(r.session)]++);
    REQUIRE(r.history_tokens >= 0);
    REQUIRE(r.history_tokens <= r.input_tokens);
    if (!r.after.empty()) continue;
    ++roots;
    REQUIRE(r.arrival_s >= last_arrival_s);
    last_arrival_s = r.arrival_s;
  }
  CHECK(roots == 692);
}
