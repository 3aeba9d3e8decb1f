#include "study/prefix_validation.hpp"

#include <filesystem>
#include <map>
#include <utility>

#include "base/json_writer.hpp"
#include "scenario/resolve.hpp"
#include "store/query.hpp"
#include "study/measured_csv.hpp"
#include "study/prefix_rows.hpp"
#include "study/result_file.hpp"
#include "study/run_plan.hpp"
#include "workload/workload.hpp"

namespace tokenyard::study {
namespace {

namespace fs = std::filesystem;

// A prompt and an answer of the longest that any reader accepts.
constexpr std::int64_t kAnyContext = 2 * workload::kMaxTokens;

// One replica that is fast enough for the sessions not to pile up; hits do not depend on it, nor on
// how often sessions start.
constexpr const char* kScenario = R"(name: validate prefixes
workload:
  name: recorded sessions
  trace: {file: none, format: coding-agents, sessions_per_hour: 60}
fleet:
  pools:
    - name: main
      node: dgx-h100
      deploy: {model: llama-3.1-8b, tensor_parallel: 8}
serving:
  kv_cache: {capacity: unlimited}
calibration: none
store_requests: all
)";

scenario::Plan plan_of(const std::string& path, catalog::Catalog& catalog,
                       const std::optional<std::int64_t>& sessions) {
  const std::string place = "validate";
  Diagnostics diagnostics;
  input::Node root = input::parse_yaml(kScenario, place, diagnostics);
  std::vector<std::pair<std::string, std::string>> values = {
      {"workload.trace.file", json_quote(fs::absolute(path).string())},
      {"serving.kv_cache.block_tokens", std::to_string(kRecordedBlockTokens)}};
  if (sessions) values.emplace_back("workload.trace.limit", std::to_string(*sessions));
  for (const auto& [key, text] : values) {
    const std::string problem =
        input::set_path(root, key, input::parse_yaml(text, place, diagnostics));
    check(problem.empty(), "the scenario of recorded sessions has a place for all its values");
  }
  diagnostics.throw_if_any();
  std::vector<scenario::Plan> plans =
      scenario::plans_of(std::move(root), place, {}, catalog, {.max_context = kAnyContext});
  check(plans.size() == 1, "recorded sessions make one plan");
  plans.front().assumptions.push_back(
      {"model llama-3.1-8b: max_context", std::to_string(kAnyContext), "assumed",
       "the recorded models take longer prompts than any here", ""});
  check_plan(plans.front());
  return std::move(plans.front());
}

// Simulated hits by the session's name in the results and the round.
using Hits = std::map<std::pair<std::string, std::int64_t>, std::int64_t>;

Hits simulated_hits(const std::string& db_path, std::int64_t run_id) {
  const Table table = store::query(
      db_path,
      "SELECT session, turn, cached_tokens FROM request WHERE status = 'finished' AND run_id = " +
          std::to_string(run_id));
  Hits hits;
  for (const std::vector<Cell>& row : table.rows) {
    hits.emplace(std::pair(std::get<std::string>(row[0]), std::get<std::int64_t>(row[1])),
                 std::get<std::int64_t>(row[2]));
  }
  return hits;
}

[[noreturn]] void refuse(const std::string& path, std::string_view message) {
  throw InputError(std::vector<Diagnostic>{{{path, 0, 0, ""}, "", std::string(message), ""}});
}

// What the replay refuses it refuses here, where the error keeps its place: of a run's there is only
// the text.
void check_replay(const scenario::Plan& plan) {
  const auto stream = workload::open_stream(plan.scenario.workload.spec, plan.workload_options);
  for (workload::Request request; stream->next(request);) continue;
}

// A run's message without the word that begins one without a place.
std::string_view without_prefix(std::string_view message) {
  constexpr std::string_view kPrefix = "error: ";
  if (message.starts_with(kPrefix)) message.remove_prefix(kPrefix.size());
  return message;
}

}  // namespace

PrefixValidation validate_prefixes(const std::string& path, catalog::Catalog& catalog,
                                   const ValidationOptions& options,
                                   std::optional<std::int64_t> sessions) {
  PrefixValidation result;
  result.requests = recorded_requests(MeasuredCsv(path), sessions);
  if (result.requests.empty()) refuse(path, "there is no request in it; expected a row for each");
  const scenario::Plan plan = plan_of(path, catalog, sessions);
  check_replay(plan);
  const ResultFile file(options.db_path);
  const std::vector<Outcome> outcomes = run_all({plan}, {.db_path = file.path(),
                                                         .jobs = 1,
                                                         .on_progress = options.on_progress,
                                                         .interrupted = options.interrupted});
  const Outcome& outcome = outcomes.front();
  if (outcome.failure == FailureKind::input) refuse(path, without_prefix(outcome.message));
  result.broken = outcome.message;
  result.interrupted = outcome.run_id < 0 && outcome.failure == FailureKind::none;
  if (outcome.failure != FailureKind::none || result.interrupted) {
    result.requests.clear();
    return result;
  }
  const Hits hits = simulated_hits(file.path(), outcome.run_id);
  check(hits.size() == result.requests.size(), "recorded requests were lost in the simulation");
  for (PrefixRequest& request : result.requests) {
    const auto found = hits.find({simulated_session(request), request.round});
    check(found != hits.end(), "a recorded request was not simulated");
    request.simulated_hit_tokens = found->second;
  }
  return result;
}

}  // namespace tokenyard::study
