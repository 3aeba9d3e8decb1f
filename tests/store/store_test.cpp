#include "store/store.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <fstream>
#include <sstream>

#include "base/error.hpp"
#include "store/query.hpp"
#include "store/read_run.hpp"
#include "store/sample_run.hpp"

using namespace tokenyard;
using namespace tokenyard::test;
using store::RunRecord;
using store::RunStatus;
using store::Store;

namespace {

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void put(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string refusal(const std::string& path) {
  try {
    const Store opened(path);
  } catch (const InputError& error) {
    return error.what();
  }
  return "opened";
}

}  // namespace

TEST_CASE("a run comes back as it was written, requests and samples aside") {
  const ScratchFolder folder;
  const std::string path = folder.file("results.db");
  const RunRecord run = sample_run(3, "hash");
  Store db(path);
  const std::int64_t id = db.write_run(run);
  const RunRecord back = store::read_run(path, id);
  CHECK(back.scenario == run.scenario);
  CHECK(back.workload == run.workload);
  CHECK(back.variant == run.variant);
  CHECK(back.status == RunStatus::done);
  CHECK(back.key.plan_hash == "hash");
  CHECK(back.key.trace_hash == "trace");
  CHECK(back.key.version == "0.1.0");
  CHECK(back.seed == 7);
  CHECK(back.started_at == run.started_at);
  CHECK(back.wall_s == 1.5);
  CHECK(back.plan_json == run.plan_json);
  CHECK(back.parameters == run.parameters);
  REQUIRE(back.assumptions.size() == 1);
  CHECK(back.assumptions[0].confidence == "assumed");
  CHECK(back.result.simulated_s == 110.0);
  CHECK(back.result.measured_s == 100.0);
  CHECK(back.result.requests_finished == 3);
  CHECK(back.result.events == 12345);
  CHECK(back.result.request_digest == "digest");
  REQUIRE(back.result.pools.size() == 1);
  CHECK(back.result.pools[0].device_seconds == run.result.pools[0].device_seconds);
  CHECK(back.result.pools[0].joules == run.result.pools[0].joules);
  CHECK(back.result.pools[0].devices_used == 8);
  REQUIRE(back.costs.size() == 2);
  CHECK(back.costs[0].usd == 300'000.0);
  CHECK(back.costs[1].item == "energy");
  REQUIRE(back.expectations.size() == 1);
  CHECK(back.expectations[0].verdict == "pessimistic");
  CHECK(back.expectations[0].ratio == 1.25);
  REQUIRE(back.result.slo_checks.size() == 1);
  CHECK(back.result.slo_checks[0].met);
  // Five of the result, two extra, six of the inventory.
  CHECK(back.result.metrics.size() == 13);
}

TEST_CASE("requests that ended early and the tiers of KV caches come back with their run") {
  const ScratchFolder folder;
  const std::string path = folder.file("results.db");
  RunRecord run = sample_run(3);
  run.result.requests_seen = 10;
  run.result.requests_cancelled = 4;
  run.result.requests_abandoned = 3;
  run.result.kv_tiers = {{.tier = "dram",
                          .capacity_bytes = 2e12,
                          .mean_bytes = 5e11,
                          .hit_tokens = 1234,
                          .bytes_read = 3e9,
                          .bytes_written = 7e9,
                          .joules = 12.5}};
  const metrics::RunResult back = store::read_run(path, Store(path).write_run(run)).result;
  CHECK(back.requests_cancelled == 4);
  CHECK(back.requests_abandoned == 3);
  REQUIRE(back.kv_tiers.size() == 1);
  CHECK(back.kv_tiers[0].tier == "dram");
  CHECK(back.kv_tiers[0].capacity_bytes == 2e12);
  CHECK(back.kv_tiers[0].mean_bytes == 5e11);
  CHECK(back.kv_tiers[0].hit_tokens == 1234);
  CHECK(back.kv_tiers[0].bytes_read == 3e9);
  CHECK(back.kv_tiers[0].bytes_written == 7e9);
  CHECK(back.kv_tiers[0].joules == 12.5);
}

TEST_CASE("requests are stored with their names, and times never reached as NULL") {
  const ScratchFolder folder;
  const std::string path = folder.file("results.db");
  RunRecord run = sample_run(4);
  metrics::RequestRow lost;
  lost.id = 99;
  lost.arrival_s = 50.0;
  lost.status = metrics::RequestStatus::rejected;
  run.result.requests.push_back(lost);
  Store(path).write_run(run);
  const Table rows = store::query(path, "SELECT * FROM request ORDER BY id");
  REQUIRE(rows.rows.size() == 5);
  std::string columns;
  for (const std::string& column : rows.columns) columns += column + ' ';
  CHECK(columns ==
        "run_id id session turn class model pool replica arrival_s admitted_s first_token_s "
        "finished_s input_tokens cached_tokens output_tokens preemptions status tenant attempts "
        "fetched_tokens front_end_s queue_capacity_s queue_priority_s queue_arrival_s fetch_s "
        "prefill_s transfer_s decode_s redo_s ");
  const std::vector<Cell>& row = rows.rows[3];
  CHECK(std::vector<Cell>(row.begin(), row.begin() + 17) ==
        std::vector<Cell>{std::int64_t{1}, std::int64_t{3}, "1", std::int64_t{1}, "batch",
                          "toy-model", "main", std::int64_t{3}, 3.0, 3.5, 4.0, 5.0,
                          std::int64_t{100}, std::int64_t{40}, std::int64_t{5}, std::int64_t{0},
                          "finished"});
  CHECK(std::vector<Cell>(row.begin() + 17, row.end()) ==
        std::vector<Cell>{"default", std::int64_t{1}, std::int64_t{0}, 0.0, 0.0, 0.0, 0.5, 0.0, 0.5,
                          0.0, 1.0, 0.0});
  CHECK(text(rows, 0, 2) == "first session");
  const Cell null = std::monostate{};
  for (const std::size_t column : {2U, 5U, 6U, 7U, 9U, 10U, 11U, 20U, 23U, 28U})
    CHECK(rows.rows[4][column] == null);
  CHECK(text(rows, 4, 16) == "rejected");
}

TEST_CASE("the views give ttft 1 s, tpot 0.25 s, a cost share of 3/4 and one wide row a run") {
  const ScratchFolder folder;
  const std::string path = folder.file("results.db");
  Store(path).write_run(sample_run(10));
  const Table latency =
      store::query(path, "SELECT ttft_s, tpot_s, e2el_s, queue_s FROM request_latency");
  REQUIRE(latency.rows.size() == 10);
  CHECK(latency.rows[9] == std::vector<Cell>{1.0, 0.25, 2.0, 0.5});
  const Table cost =
      store::query(path, "SELECT category, usd, share FROM cost_summary ORDER BY usd DESC");
  REQUIRE(cost.rows.size() == 2);
  CHECK(cost.rows[0] == std::vector<Cell>{"capex", 300'000.0, 0.75});
  const Table summary = store::query(
      path, "SELECT scenario, devices, ttft_p99_s, mfu, usd_per_mtok_output FROM run_summary");
  REQUIRE(summary.rows.size() == 1);
  CHECK(summary.rows[0] == std::vector<Cell>{"chat", 16.0, 1.0, 0.125, 0.5});
  const Table unit = store::query(path, "SELECT unit FROM metric WHERE name = 'tco_usd'");
  CHECK(text(unit) == "USD");
  const Table share = store::query(path, "SELECT share FROM attribution WHERE cause = 'weight_bw'");
  CHECK(number(share) == 0.75);
}

TEST_CASE("the pareto view keeps the cheap and the fast run and drops the one that is neither") {
  const ScratchFolder folder;
  const std::string path = folder.file("results.db");
  Store db(path);
  struct Point {
    const char* name;
    const char* workload;
    double usd, speed;
  };
  for (const Point& p : {Point{"cheap", "w", 0.2, 20.0}, Point{"fast", "w", 0.9, 80.0},
                         Point{"worse", "w", 0.9, 60.0}, Point{"other", "v", 5.0, 1.0}}) {
    RunRecord run = sample_run(0);
    run.scenario = p.name;
    run.workload = p.workload;
    run.result.metrics = {{"output_tokens_per_s_per_user", p.speed}};
    run.extra_metrics = {{"usd_per_mtok_output", p.usd}};
    db.write_run(run);
  }
  const Table front = store::query(path, "SELECT scenario FROM pareto ORDER BY scenario");
  REQUIRE(front.rows.size() == 3);
  CHECK(text(front, 0) == "cheap");
  CHECK(text(front, 1) == "fast");
  CHECK(text(front, 2) == "other");
}

TEST_CASE(
    "a run of the same key is replaced and keeps its number; a failed one does not replace a done "
    "one") {
  const ScratchFolder folder;
  const std::string path = folder.file("results.db");
  Store db(path);
  RunRecord run = sample_run(5, "a");
  run.status = RunStatus::failed;
  run.message = "signal 11 at 12.5 s";
  CHECK(db.write_run(run) == 1);
  CHECK_FALSE(db.has_run(run.key));
  CHECK(text(store::query(path, "SELECT message FROM run")) == "signal 11 at 12.5 s");
  CHECK(db.write_run(sample_run(5, "b")) == 2);
  CHECK(db.write_run(sample_run(7, "a")) == 1);
  CHECK(db.find_run(run.key) == 1);
  CHECK(db.write_run(run) == 1);
  CHECK(db.has_run(run.key));
  const Table counts = store::query(path, "SELECT run_id, count(*) FROM request GROUP BY run_id");
  REQUIRE(counts.rows.size() == 2);
  CHECK(integer(counts, 0, 1) == 7);
  CHECK(integer(counts, 1, 1) == 5);
  CHECK_FALSE(db.has_run({"a", "trace", "0.2.0"}));
  CHECK_FALSE(db.has_run({"a", "another trace", "0.1.0"}));
}

TEST_CASE("runs without a plan hash are never the same") {
  const ScratchFolder folder;
  Store db(folder.file("results.db"));
  CHECK(db.write_run(sample_run(1)) == 1);
  CHECK(db.write_run(sample_run(1)) == 2);
  CHECK_FALSE(db.has_run(sample_run(1).key));
}

TEST_CASE("a metric that is not in the table is our mistake and leaves nothing behind") {
  const ScratchFolder folder;
  const std::string path = folder.file("results.db");
  Store db(path);
  RunRecord run = sample_run(2);
  run.extra_metrics = {{"ttft_p98_s", 1.0}};
  CHECK_THROWS_WITH_AS(db.write_run(run), "metric 'ttft_p98_s' is not in the metric table",
                       InternalError);
  CHECK(integer(store::query(path, "SELECT count(*) FROM run")) == 0);
  CHECK(db.write_run(sample_run(2)) == 1);
}

TEST_CASE("not-a-number is stored as NULL") {
  const ScratchFolder folder;
  const std::string path = folder.file("results.db");
  RunRecord run = sample_run(0);
  run.expectations[0].actual = std::nan("");
  Store(path).write_run(run);
  CHECK(std::isnan(store::read_run(path, 1).expectations[0].actual));
  CHECK(integer(store::query(path, "SELECT count(*) FROM expectation WHERE actual IS NULL")) == 1);
}

TEST_CASE("a file that is no database is refused and untouched, however short") {
  const ScratchFolder folder;
  const std::string path = folder.file("notes.txt");
  for (const std::string& text :
       {std::string("hello"), std::string(10'000, 'x'), std::string(100, '\0')}) {
    put(path, text);
    CHECK(refusal(path) == "error: '" + path + "' is not an SQLite database; it was left as it is");
    CHECK(content(path) == text);
  }
}

TEST_CASE("another program's database is refused and untouched") {
  const ScratchFolder folder;
  const std::string path = folder.file("other.db");
  {
    SQLite::Database(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec("CREATE TABLE t (x)");
  }
  const std::string before = content(path);
  CHECK(refusal(path) ==
        "error: '" + path + "' is not a tokenyard result database; it was left as it is");
  CHECK_THROWS_AS(store::query(path, "SELECT 1"), InputError);
  CHECK(content(path) == before);
}

TEST_CASE("a database of an older schema is refused and untouched") {
  const ScratchFolder folder;
  const std::string path = folder.file("results.db");
  { Store made(path); }
  { SQLite::Database(path, SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 2"); }
  const std::string before = content(path);
  CHECK(refusal(path) ==
        "error: '" + path +
            "' was written by an older tokenyard (schema 2); this program reads and "
            "writes schema 3");
  CHECK(content(path) == before);
}

TEST_CASE("a database of a newer schema is refused and untouched") {
  const ScratchFolder folder;
  const std::string path = folder.file("results.db");
  { Store made(path); }
  { SQLite::Database(path, SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 99"); }
  const std::string before = content(path);
  CHECK(refusal(path) ==
        "error: '" + path +
            "' was written by a newer tokenyard (schema 99); this program reads and "
            "writes schema 3");
  CHECK(content(path) == before);
}

TEST_CASE("a folder, or a file in a folder that is not there, is refused") {
  const ScratchFolder folder;
  CHECK(refusal(folder.file(".")) ==
        "error: '" + folder.file(".") + "' is a folder; expected a file");
  const std::string path = folder.file("absent/results.db");
  CHECK(refusal(path) ==
        "error: '" + path + "' cannot be opened; is its folder there and writable?");
}

TEST_CASE("how fast requests are written") {
  const ScratchFolder folder;
  const RunRecord run = sample_run(500'000);
  const auto seconds_of = [](auto&& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  Store db(folder.file("results.db"));
  const std::string shard = folder.file("shard.db");
  const double direct_s = seconds_of([&] { db.write_run(run); });
  const double shard_s = seconds_of([&] { store::write_shard(shard, run); });
  const double merge_s = seconds_of([&] { db.merge_shard(shard); });
  const auto bytes_per_row = static_cast<double>(std::filesystem::file_size(shard)) / 500'000.0;
  MESSAGE("requests a second: write_run " << 5e5 / direct_s << ", write_shard " << 5e5 / shard_s
                                          << ", merge_shard " << 5e5 / merge_s
                                          << "; bytes a row: " << bytes_per_row);
  CHECK(integer(store::query(db.path(), "SELECT count(*) FROM request")) == 1'000'000);
}
