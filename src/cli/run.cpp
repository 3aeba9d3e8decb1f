#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>

#include "base/json_writer.hpp"
#include "base/quantity_text.hpp"
#include "cli/command.hpp"
#include "cli/open_catalog.hpp"
#include "cli/output.hpp"
#include "metrics/metric_table.hpp"
#include "perf/placement.hpp"
#include "report/side_by_side.hpp"
#include "report/summary.hpp"
#include "scenario/resolve.hpp"
#include "store/read_run.hpp"
#include "study/run_all.hpp"
#include "study/run_plan.hpp"

namespace tokenyard::cli {
namespace {

volatile std::sig_atomic_t interrupt_asked = 0;

std::vector<scenario::Plan> plans_of(const Arguments& arguments) {
  if (arguments.operands().empty())
    throw InputError("run: which scenario? expected the path of a scenario file");
  catalog::Catalog catalog = open_catalog(arguments);
  std::vector<scenario::Plan> plans;
  std::vector<Diagnostic> problems;
  for (const std::string& path : arguments.operands()) {
    try {
      std::vector<scenario::Plan> of_scenario = scenario::load_plans(
          path, arguments.pairs("set"), catalog,
          {.skip_bad_lines = arguments.has("skip-bad-lines"), .fits = perf::fits});
      for (scenario::Plan& plan : of_scenario) {
        study::mark_unfit(plan);
        study::check_plan(plan);
        plans.push_back(std::move(plan));
      }
    } catch (const InputError& error) {
      problems.insert(problems.end(), error.diagnostics().begin(), error.diagnostics().end());
    }
  }
  if (!problems.empty()) throw InputError(problems);
  return plans;
}

void draw(ProgressLine& line, const study::StudyProgress& p,
          const std::vector<scenario::Plan>& plans) {
  const scenario::Plan& plan = plans[std::min(p.runs_done, plans.size() - 1)];
  double share = -1.0;
  if (p.runs > 1) {
    share = static_cast<double>(p.runs_done) / static_cast<double>(p.runs);
  } else if (plan.scenario.duration) {
    share = p.simulated_s / plan.scenario.duration->base();
  }
  std::string text;
  if (p.runs > 1) text += std::to_string(p.runs_done) + '/' + std::to_string(p.runs) + " runs, ";
  text += "simulated " + to_text(seconds(p.simulated_s)) + ", " + std::to_string(p.requests_done) +
          " requests, " +
          three_digits(static_cast<double>(p.requests_done) / std::max(1e-3, line.elapsed_s())) +
          " requests/s";
  line.draw(share, text);
}

// One run as a JSON object: what it was, and every metric in base units.
void write_json(JsonWriter& json, const store::RunRecord& run, std::int64_t id) {
  json.begin_object();
  json.key("run_id")
      .value(id)
      .key("scenario")
      .value(run.scenario)
      .key("variant")
      .value(run.variant);
  json.key("status").value(input::name_of(run.status));
  if (!run.message.empty()) json.key("message").value(run.message);
  json.key("plan_hash").value(run.key.plan_hash).key("trace_hash").value(run.key.trace_hash);
  json.key("version")
      .value(run.key.version)
      .key("seed")
      .value(run.seed)
      .key("wall_s")
      .value(run.wall_s);
  json.key("simulated_s").value(run.result.simulated_s);
  for (const char* kind : {"unknown", "marked", "uncalibrated"}) {
    json.key(kind).begin_array();
    for (const store::AssumptionRow& a : run.assumptions) {
      if (a.confidence != kind) continue;
      json.begin_object().key("key").value(a.key).key("value").value(a.value);
      json.key("band").value(a.band).end_object();
    }
    json.end_array();
  }
  json.key("parameters").begin_object();
  for (const auto& [key, value] : run.parameters) json.key(key).value(value);
  json.end_object().key("metrics").begin_object();
  for (const metrics::MetricValue& m : run.result.metrics) json.key(m.name).value(m.value);
  json.end_object().key("expectations").begin_array();
  for (const store::ExpectationRow& e : run.expectations) {
    json.begin_object()
        .key("metric")
        .value(e.metric)
        .key("expected")
        .value(e.expected)
        .key("actual")
        .value(e.actual);
    json.key("verdict").value(e.verdict).end_object();
  }
  json.end_array().end_object();
}

int exit_code(const std::vector<study::Outcome>& outcomes,
              const std::vector<store::RunRecord>& runs) {
  int code = kDone;
  for (const store::RunRecord& run : runs) {
    for (const store::ExpectationRow& e : run.expectations) {
      if (e.verdict != "holds") code = std::max<int>(code, kAnswerIsNo);
    }
  }
  for (const study::Outcome& outcome : outcomes) {
    if (outcome.failure == study::FailureKind::input) code = std::max<int>(code, kBadInput);
    if (outcome.failure == study::FailureKind::internal) code = std::max<int>(code, kBroken);
  }
  return interrupt_asked != 0 ? kInterrupted : code;
}

void print_runs(const std::vector<store::RunRecord>& runs, const std::vector<std::int64_t>& ids,
                const Arguments& arguments) {
  if (arguments.has("json")) {
    JsonWriter json;
    json.begin_array();
    for (std::size_t i = 0; i < runs.size(); ++i) write_json(json, runs[i], ids[i]);
    json.end_array();
    print(json.text() + '\n');
  } else if (runs.size() == 1) {
    print_table(report::run_summary(runs.front()), arguments);
  } else if (!runs.empty()) {
    print_table(report::side_by_side(runs), arguments);
  }
  if (arguments.has("json")) return;
  for (const store::RunRecord& run : runs) {
    if (!run.expectations.empty()) print_table(report::expectation_table(run), arguments);
  }
}

int run(const Arguments& arguments) {
  const std::vector<scenario::Plan> plans = plans_of(arguments);
  const std::string db = arguments.text("db");
  std::vector<study::Outcome> outcomes;
  {
    ProgressLine line;
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
      std::signal(signal, [](int) { interrupt_asked = 1; });
    }
    outcomes = study::run_all(
        plans, {.db_path = db,
                .jobs = static_cast<std::size_t>(arguments.integer("jobs", 1)),
                .per_step = arguments.has("per-step"),
                .on_progress = [&](const study::StudyProgress& p) { draw(line, p, plans); },
                .interrupted = [] { return interrupt_asked != 0; }});
  }
  std::vector<store::RunRecord> runs;
  std::vector<std::int64_t> ids;
  for (const study::Outcome& outcome : outcomes) {
    if (!outcome.message.empty()) std::cerr << outcome.message << '\n';
    if (outcome.run_id < 0) continue;
    runs.push_back(store::read_run(db, outcome.run_id));
    ids.push_back(outcome.run_id);
  }
  print_runs(runs, ids, arguments);
  if (!ids.empty()) {
    std::cerr << "stored in " << db << " as run" << (ids.size() > 1 ? "s " : " ") << ids.front();
    if (ids.size() > 1) std::cerr << " to " << ids.back();
    std::cerr << '\n';
  }
  if (interrupt_asked != 0) {
    std::cerr << "interrupted: " << ids.size() << " of " << plans.size()
              << " runs are stored; the same command runs them all again\n";
  }
  return exit_code(outcomes, runs);
}

}  // namespace

Command run_command() {
  return {"run",
          "SCENARIO... [options]",
          "simulates scenarios with all their sweep variants, stores and prints the results",
          {{"db", "FILE", "result database, made when it does not exist", "results.db"},
           set_option(),
           {"jobs", "N", "runs at a time", "1"},
           {"skip-bad-lines", "",
            "counts malformed lines of a trace instead of stopping at the first", ""},
           {"per-step", "", "simulates every step by itself: slow, the proof of the fast way", ""},
           {"json", "", "prints JSON: an array with one object a run", ""},
           format_option(),
           unknowns_option(),
           catalog_option()},
          run};
}

}  // namespace tokenyard::cli
