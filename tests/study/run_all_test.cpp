#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "store/query.hpp"
#include "study/run_all.hpp"
#include "support/toy_yard.hpp"

namespace tokenyard::study {
namespace {

namespace fs = std::filesystem;
using test::kToyScenario;
using test::ToyYard;

// A run of minutes, to be interrupted.
const std::string kLongScenario =
    "name: long\n"
    "workload: {generator: {kind: poisson, rate: 1 /s, input: 100, output: 10}}\n"
    "duration: 100 years\n"
    "store_requests: none\n"
    "sample_interval: 0 s\n"
    "fleet: {site: toy-site, fabric: toy-switch,"
    " pools: [{name: main, node: toy-node, deploy: {model: toy-4b}}]}\n";

std::vector<pid_t> children() {
  std::vector<pid_t> found;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc")) {
    std::ifstream status(entry.path() / "status");
    for (std::string word; status >> word;) {
      pid_t parent = 0;
      if (word != "PPid:" || !(status >> parent)) continue;
      if (parent == ::getpid()) found.push_back(std::stoi(entry.path().filename()));
      break;
    }
  }
  return found;
}

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file()) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

// Every row and column of everything that a run leaves, but when it ran and for how long.
std::vector<Table> contents(const std::string& db) {
  std::vector<Table> tables;
  for (const char* table : {"parameter", "assumption", "metric", "slo", "pool", "request", "sample",
                            "attribution", "energy", "cost", "expectation"}) {
    const std::string name = table;
    tables.push_back(store::query(db, "SELECT * FROM " + name + " ORDER BY 1, 2, 3"));
  }
  return tables;
}

std::int64_t count(const std::string& db, const std::string& sql) {
  return std::get<std::int64_t>(store::query(db, "SELECT count(*) FROM " + sql).rows.at(0).at(0));
}

std::string text(const std::string& db, const std::string& sql) {
  return std::get<std::string>(store::query(db, sql).rows.at(0).at(0));
}

}  // namespace

TEST_CASE("one worker and two store the same runs, row by row") {
  const ToyYard yard;
  const std::vector<scenario::Plan> plans = yard.plans(kToyScenario +
                                                       "slo: {ttft_p99: 1 s}\n"
                                                       "sample_interval: 1 s\n"
                                                       "expect: [{metric: mfu, value: 0.5}]\n"
                                                       "sweep: {seed: [1, 2], scale: [1, 10]}\n");
  REQUIRE(plans.size() == 4);
  const std::string one = yard.file("one.db"), two = yard.file("two.db");
  const std::vector<Outcome> first = run_all(plans, {.db_path = one, .jobs = 1});
  const std::vector<Outcome> second = run_all(plans, {.db_path = two, .jobs = 2});
  for (std::size_t i = 0; i < plans.size(); ++i) {
    CHECK(first.at(i).failure == FailureKind::none);
    CHECK(first.at(i).run_id == static_cast<std::int64_t>(i) + 1);
    CHECK(second.at(i).run_id == first.at(i).run_id);
  }
  CHECK(count(one, "request") == 40);
  CHECK(count(one, "sample") > 4);
  const std::string runs =
      "SELECT id, scenario, workload, variant, status, plan_hash, trace_hash, simulated_s, events, "
      "request_digest, plan_json FROM run ORDER BY id";
  CHECK(store::query(one, runs).rows == store::query(two, runs).rows);
  const std::vector<Table> of_one = contents(one), of_two = contents(two);
  for (std::size_t t = 0; t < of_one.size(); ++t) {
    CAPTURE(t);
    CHECK(of_one[t].columns == of_two[t].columns);
    CHECK(of_one[t].rows == of_two[t].rows);
  }
}

TEST_CASE("a run again replaces its first result and keeps its number") {
  const ToyYard yard;
  const std::string db = yard.file("r.db");
  const std::vector<scenario::Plan> plans = yard.plans(kToyScenario + "sweep: {seed: [1, 2]}\n");
  run_all(plans, {.db_path = db});
  const std::vector<Outcome> again = run_all({plans[1]}, {.db_path = db});
  CHECK(again.at(0).run_id == 2);
  CHECK(count(db, "run") == 2);
  CHECK(count(db, "request") == 20);
}

TEST_CASE("a trace that has vanished since is bad input: nothing of that run is stored") {
  const ToyYard yard;
  const std::string db = yard.file("r.db");
  yard.write("workloads/other.jsonl",
             "{\"tokenyard_trace\":1}\n"
             "{\"id\":1,\"arrival_s\":0,\"input_tokens\":1,\"output_tokens\":1}\n");
  yard.write("workloads/other.yaml", "trace: {file: other.jsonl}\n");
  const std::vector<scenario::Plan> plans{
      yard.plan(), yard.plan(kToyScenario, {{"workload", "workloads/other.yaml"}})};
  fs::remove(yard.file("workloads/ten.jsonl"));
  const std::vector<Outcome> outcomes = run_all(plans, {.db_path = db});
  CHECK(outcomes[0].failure == FailureKind::input);
  CHECK(outcomes[0].run_id == -1);
  CHECK(outcomes[0].message.starts_with("error: there is no trace 'ten.jsonl'; looked for:"));
  CHECK(outcomes[1].failure == FailureKind::none);
  CHECK(count(db, "run") == 1);
  CHECK(count(db, "request") == 1);
}

TEST_CASE("a trace that is malformed in its middle is bad input, shown at its line") {
  const ToyYard yard;
  const std::string db = yard.file("r.db");
  yard.edit("workloads/ten.jsonl", "\"id\":7,\"arrival_s\":7", "\"id\":7,\"arrival_s\":\"late\"");
  const std::vector<Outcome> outcomes = run_all({yard.plan()}, {.db_path = db});
  CHECK(outcomes[0].failure == FailureKind::input);
  CHECK(yard.shortened(outcomes[0].message) ==
        "workloads/ten.jsonl:9:9: error: arrival_s: '\"late\"' is not a number\n"
        "    9 | {\"id\":7,\"arrival_s\":\"late\",\"input_tokens\":100,\"output_tokens\":10}\n"
        "      |         ^");
  CHECK(count(db, "run") == 0);
  CHECK(files_in(yard.file("")) == std::vector<std::string>{"r.db", "s.yaml"});
}

TEST_CASE("a run that is killed is stored as failed with its signal, and the others are done") {
  const ToyYard yard;
  const std::string db = yard.file("r.db");
  const std::vector<scenario::Plan> plans{yard.plan(kLongScenario), yard.plan()};
  bool killed = false;
  const std::vector<Outcome> outcomes =
      run_all(plans, {.db_path = db, .jobs = 1, .on_progress = [&](const StudyProgress&) {
                        if (!std::exchange(killed, true)) ::kill(children().at(0), SIGKILL);
                      }});
  CHECK(outcomes[0].failure == FailureKind::internal);
  CHECK(
      outcomes[0].message.starts_with("the run was ended by signal 9 (Killed) at simulated time "));
  CHECK(outcomes[0].run_id == 1);
  CHECK(outcomes[1].failure == FailureKind::none);
  CHECK(outcomes[1].run_id == 2);
  CHECK(text(db, "SELECT status FROM run WHERE id = 1") == "failed");
  CHECK(text(db, "SELECT message FROM run WHERE id = 1") == outcomes[0].message);
  CHECK(text(db, "SELECT scenario FROM run WHERE id = 1") == "long");
  CHECK(text(db, "SELECT status FROM run WHERE id = 2") == "done");
  CHECK(files_in(yard.file("")) == std::vector<std::string>{"r.db", "s.yaml"});
}

TEST_CASE("interrupted after the first run, it is kept, and the rest is not run") {
  const ToyYard yard;
  const std::string db = yard.file("r.db");
  std::vector<scenario::Plan> plans = yard.plans(kToyScenario);
  plans.push_back(yard.plan(kLongScenario));
  plans.push_back(yard.plan(kToyScenario + "seed: 2\n"));
  std::size_t done = 0;
  const std::vector<Outcome> outcomes =
      run_all(plans, {.db_path = db,
                      .on_progress = [&](const StudyProgress& p) { done = p.runs_done; },
                      .interrupted = [&] { return done == 1; }});
  REQUIRE(outcomes.size() == 3);
  CHECK(outcomes[0].run_id == 1);
  CHECK((outcomes[1].run_id == -1 && outcomes[1].failure == FailureKind::none));
  CHECK((outcomes[2].run_id == -1 && outcomes[2].failure == FailureKind::none));
  CHECK(count(db, "run") == 1);
  CHECK(children().empty());
  CHECK(files_in(yard.file("")) == std::vector<std::string>{"r.db", "s.yaml"});
}

TEST_CASE("interrupted, a run that overtook a longer one before it is kept all the same") {
  const ToyYard yard;
  const std::string db = yard.file("r.db");
  const std::vector<scenario::Plan> plans{yard.plan(kLongScenario), yard.plan()};
  int asked = 0;  // the first time nothing runs yet; later one alone is the longer one
  const std::vector<Outcome> outcomes =
      run_all(plans, {.db_path = db, .jobs = 2, .on_progress = {}, .interrupted = [&] {
                        return ++asked > 1 && children().size() == 1;
                      }});
  CHECK(outcomes[0].run_id == -1);
  CHECK(outcomes[1].run_id == 1);
  CHECK(text(db, "SELECT scenario FROM run") == "toy");
  CHECK(children().empty());
}

TEST_CASE("progress tells runs done, and of the run under way how far it is") {
  const ToyYard yard;
  std::vector<StudyProgress> seen;
  const std::vector<scenario::Plan> plans{yard.plan(), yard.plan(kLongScenario)};
  run_all(plans, {.db_path = yard.file("r.db"),
                  .on_progress = [&](const StudyProgress& p) { seen.push_back(p); },
                  .interrupted =
                      [&] {
                        return !seen.empty() && seen.back().simulated_s > 0.0 &&
                               seen.back().runs_done == 1;
                      }});
  REQUIRE(!seen.empty());
  CHECK(seen.back().runs == 2);
  CHECK(seen.back().requests_done > 0);
  CHECK(std::is_sorted(seen.begin(), seen.end(),
                       [](const auto& a, const auto& b) { return a.runs_done < b.runs_done; }));
}

TEST_CASE("a file that is no result database is refused before anything is simulated") {
  const ToyYard yard;
  yard.write("notes.txt", "some words that are long enough to be no database header at all\n");
  const std::string message =
      yard.message_of([&] { run_all({yard.plan()}, {.db_path = yard.file("notes.txt")}); });
  CHECK(message.find("notes.txt") != std::string::npos);
  CHECK(children().empty());
}

TEST_CASE("a study needs a worker") {
  CHECK_THROWS_AS(run_all({}, {.db_path = "never.db", .jobs = 0}), InternalError);
}

}  // namespace tokenyard::study
