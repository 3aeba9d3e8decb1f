#include <algorithm>
#include <array>
#include <utility>

#include "base/as_double.hpp"
#include "study/prefix_rows.hpp"

namespace tokenyard::study {
namespace {

// A band of a grouping: requests that belong to no band are in no row of it.
struct Band {
  const char* by;
  const char* name;
  bool (*has)(const PrefixRequest&);
};

constexpr double kMinute_s = 60.0;
constexpr double kHour_s = 3600.0;

bool rounds(const PrefixRequest& r, std::int64_t first, std::int64_t last) {
  return r.round >= first - 1 && r.round <= last - 1;
}
bool gap(const PrefixRequest& r, double from_s, double to_s) {
  return r.round > 0 && r.gap_s >= from_s && r.gap_s < to_s;
}
bool grew(const PrefixRequest& r) {
  return r.input_tokens >= r.previous_input_tokens;
}

using R = const PrefixRequest&;
constexpr std::array kBands{
    Band{"all", "", [](R) { return true; }},
    Band{"round", "1", [](R r) { return rounds(r, 1, 1); }},
    Band{"round", "2-5", [](R r) { return rounds(r, 2, 5); }},
    Band{"round", "6-20", [](R r) { return rounds(r, 6, 20); }},
    Band{"round", "21-100", [](R r) { return rounds(r, 21, 100); }},
    Band{"round", "101+", [](R r) { return r.round >= 100; }},
    Band{"agent", "main", [](R r) { return r.agent == "main"; }},
    Band{"agent", "sub-agent", [](R r) { return r.agent != "main"; }},
    Band{"gap", "under 1 min", [](R r) { return r.round > 0 && r.gap_s < kMinute_s; }},
    Band{"gap", "1-5 min", [](R r) { return gap(r, kMinute_s, 5 * kMinute_s); }},
    Band{"gap", "5-60 min", [](R r) { return gap(r, 5 * kMinute_s, kHour_s); }},
    Band{"gap", "1 h and more", [](R r) { return r.round > 0 && r.gap_s >= kHour_s; }},
    Band{"prompt", "first", [](R r) { return r.round == 0; }},
    Band{"prompt", "grew", [](R r) { return r.round > 0 && grew(r); }},
    Band{"prompt", "shrank", [](R r) { return r.round > 0 && !grew(r); }}};

// Simulated hits that a recording of prompts only would have had.
std::int64_t hits_in_prompts(const PrefixRequest& r) {
  const std::int64_t prompt = r.previous_input_tokens / kRecordedBlockTokens * kRecordedBlockTokens;
  return std::min(r.simulated_hit_tokens, prompt);
}

Cell gap_cell(const PrefixRequest& r) {
  if (r.round > 0) return r.gap_s;
  return std::monostate{};
}

struct Sum {
  std::int64_t requests = 0, same = 0;
  std::int64_t input = 0, recorded = 0, simulated = 0, answers = 0;

  void add(const PrefixRequest& r) {
    const std::int64_t in_prompts = hits_in_prompts(r);
    ++requests;
    same += in_prompts == r.recorded_hit_tokens ? 1 : 0;
    input += r.input_tokens;
    recorded += r.recorded_hit_tokens;
    simulated += r.simulated_hit_tokens;
    answers += r.simulated_hit_tokens - in_prompts;
  }
  [[nodiscard]] double share(std::int64_t tokens) const {
    return as_double(tokens) / as_double(input);
  }
};

}  // namespace

Table prefix_table(const PrefixValidation& validation) {
  Table table{{"by", "band", "requests", "input_tokens", "recorded_hit_rate", "simulated_hit_rate",
               "difference", "answers", "unexplained", "same_block"},
              {}};
  for (const Band& band : kBands) {
    Sum sum;
    for (const PrefixRequest& r : validation.requests) {
      if (band.has(r)) sum.add(r);
    }
    if (sum.requests == 0) continue;
    table.rows.push_back({band.by, band.name, sum.requests, sum.input, sum.share(sum.recorded),
                          sum.share(sum.simulated), sum.share(sum.simulated - sum.recorded),
                          sum.share(sum.answers),
                          sum.share(sum.simulated - sum.recorded - sum.answers),
                          as_double(sum.same) / as_double(sum.requests)});
  }
  return table;
}

Table prefix_points(const PrefixValidation& validation) {
  Table table{{"session", "agent", "round", "gap_s", "input_tokens", "recorded_hit_tokens",
               "simulated_hit_tokens", "answer_tokens"},
              {}};
  for (const PrefixRequest& r : validation.requests) {
    table.rows.push_back({r.session, r.agent, r.round, gap_cell(r), r.input_tokens,
                          r.recorded_hit_tokens, r.simulated_hit_tokens,
                          r.simulated_hit_tokens - hits_in_prompts(r)});
  }
  return table;
}

}  // namespace tokenyard::study
