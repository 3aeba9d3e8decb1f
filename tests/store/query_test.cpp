#include "store/query.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <tuple>

#include "base/error.hpp"
#include "store/sample_run.hpp"
#include "store/store.hpp"

using namespace tokenyard;
using namespace tokenyard::test;
using store::query;
using store::resolve_query;
using store::Store;

namespace {

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string refusal(const std::string& path, const std::string& sql) {
  try {
    (void)query(path, sql, {.timeout_s = 0.3});
  } catch (const InputError& error) {
    return error.what();
  }
  return "answered";
}

// A database of one run of 100 requests.
struct Fixture {
  ScratchFolder folder;
  std::string path = folder.file("results.db");
  Fixture() { Store(path).write_run(sample_run(100)); }
};

}  // namespace

TEST_CASE_FIXTURE(
    Fixture, "hostile statements are denied or stopped, write nothing and open no other file") {
  const std::string other = folder.file("other.db");
  const std::vector<std::string> hostile{
      "INSERT INTO meta VALUES ('a', 'b')",
      "UPDATE run SET scenario = 'x'",
      "DELETE FROM request",
      "REPLACE INTO meta VALUES ('application', 'x')",
      "DROP TABLE request",
      "DROP VIEW pareto",
      "CREATE TABLE t (x)",
      "CREATE TEMP TABLE t AS SELECT * FROM request",
      "CREATE VIEW v AS SELECT 1",
      "CREATE INDEX i ON run (id)",
      "CREATE TRIGGER t AFTER INSERT ON run BEGIN SELECT 1; END",
      "CREATE VIRTUAL TABLE t USING fts5(x)",
      "ALTER TABLE run RENAME TO ran",
      "ATTACH '" + other + "' AS other",
      "DETACH main",
      "VACUUM",
      "VACUUM INTO '" + other + "'",
      "ANALYZE",
      "REINDEX",
      "BEGIN IMMEDIATE",
      "COMMIT",
      "ROLLBACK",
      "SAVEPOINT s",
      "RELEASE s",
      "PRAGMA journal_mode = WAL",
      "PRAGMA writable_schema = 1",
      "PRAGMA user_version = 99",
      "PRAGMA database_list",
      "PRAGMA temp_store_directory = '/tmp'",
      "PRAGMA mmap_size = 1000000000000",
      "SELECT * FROM pragma_database_list",
      "SELECT load_extension('" + other + "')",
      "SELECT writefile('" + other + "', 'x')",
      "SELECT readfile('/etc/passwd')",
      "SELECT edit('x', 'sh')",
      "SELECT fts3_tokenizer('simple')",
      "SELECT printf('%.*c', 100000000, 'x')",
      "SELECT format('%.*c', 100000000, 'x')",
      "SELECT zeroblob(2000000000)",
      "SELECT length(randomblob(900000000))",
      "SELECT hex(hex(hex(hex(hex(hex(hex(hex(zeroblob(100000)))))))))",
      "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
      "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c",
      "WITH RECURSIVE c(x) AS (SELECT zeroblob(900000) UNION ALL SELECT x FROM c) SELECT * FROM c",
      "SELECT count(*) FROM request a, request b, request c, request d, request e",
      "SELECT 1; DELETE FROM request",
      "SELECT 1; SELECT 2",
      "DELETE FROM request RETURNING *",
      "EXPLAIN DELETE FROM request",
      "SELECT " + std::string(2000, '(') + "1" + std::string(2000, ')'),
      "SELECT '" + std::string(200'000, 'x') + "'",
      std::string("SELECT 1\0; DELETE FROM run", 26)};
  const std::string before = content(path);
  for (const std::string& sql : hostile) {
    CAPTURE(sql.substr(0, 80));
    const auto start = std::chrono::steady_clock::now();
    const std::string message = refusal(path, sql);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    CHECK(message.rfind("error: query: ", 0) == 0);
    CHECK(elapsed.count() < 2.0);
  }
  MESSAGE(hostile.size() << " hostile statements");
  CHECK(content(path) == before);
  std::vector<std::string> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(path).parent_path())) {
    files.push_back(entry.path().filename());
  }
  CHECK(files == std::vector<std::string>{"results.db"});
}

TEST_CASE_FIXTURE(
    Fixture, "what a reader needs is allowed: views, recursion, table_info, comments, windows") {
  for (const std::string sql :
       {"SELECT * FROM run_summary", "SELECT name FROM sqlite_master", "PRAGMA table_info(run)",
        "SELECT name FROM pragma_table_info('run')", "SELECT 1 ; -- and no more \n  ",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 9) SELECT x FROM "
        "c",
        "SELECT id, rank() OVER (ORDER BY arrival_s) FROM request",
        "EXPLAIN QUERY PLAN SELECT * FROM run",
        "SELECT round(avg(ttft_s), 3) FROM request_latency GROUP BY class HAVING count(*) > 1",
        "VALUES (1, 'a'), (2, NULL)", "SELECT json_extract(plan_json, '$.name') FROM run",
        "SELECT j.key, j.value FROM run, json_each(plan_json) j", "SELECT * FROM pareto",
        "SELECT * FROM cost_summary", "SELECT * FROM request_breakdown",
        "SELECT * FROM session_summary", "SELECT * FROM attribution_summary"}) {
    CAPTURE(sql);
    CHECK_FALSE(query(path, sql).rows.empty());
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "cells keep their kind: whole number, number, text, null, bytes as hexadecimal") {
  const Table table = query(path, "SELECT 3 AS i, 2.5 AS r, 'a' AS t, NULL AS n, x'0aff' AS b");
  CHECK(table.columns == std::vector<std::string>{"i", "r", "t", "n", "b"});
  REQUIRE(table.rows.size() == 1);
  CHECK(table.rows[0] == std::vector<Cell>{std::int64_t{3}, 2.5, "a", std::monostate{}, "x'0aff'"});
}

TEST_CASE_FIXTURE(
    Fixture, "percentile(x, p) is the nearest rank: of 1 to 100 the 99th is 99, the 0th is 1") {
  const std::string numbers =
      " FROM (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 100) SELECT "
      "x FROM c)";
  const Table table = query(path,
                            "SELECT percentile(x, 99), percentile(x, 0), percentile(x, 50), "
                            "percentile(x, 100), percentile(nullif(x, 100), 100)" +
                                numbers);
  CHECK(table.rows[0] == std::vector<Cell>{99.0, 1.0, 50.0, 100.0, 99.0});
  CHECK(query(path, "SELECT percentile(id, 50) FROM request WHERE id < 0").rows[0][0] ==
        Cell(std::monostate{}));
  CHECK(refusal(path, "SELECT percentile(x, 101)" + numbers) ==
        "error: query: percentile(x, p): p is a number from 0 to 100");
  CHECK(refusal(path, "SELECT percentile(x, x)" + numbers) ==
        "error: query: percentile(x, p): p is the same for all rows");
  CHECK(refusal(path, "SELECT percentile('a', 50)" + numbers) ==
        "error: query: percentile(x, p): x is a number");
}

TEST_CASE_FIXTURE(Fixture, "percentile by class, over the view: ttft is 1 s for every request") {
  const Table table = query(
      path,
      "SELECT class, percentile(ttft_s, 99) FROM request_latency GROUP BY class ORDER BY class");
  REQUIRE(table.rows.size() == 2);
  CHECK(table.rows[0] == std::vector<Cell>{"batch", 1.0});
}

TEST_CASE_FIXTURE(
    Fixture,
    "a result beyond the limit is refused and not cut short; with exactly enough it is whole") {
  CHECK(query(path, "SELECT id FROM request", {.max_rows = 100}).rows.size() == 100);
  CHECK_THROWS_WITH_AS(
      (void)query(path, "SELECT id FROM request", {.max_rows = 99}),
      "error: query: the result has more than 99 rows; aggregate it or add a LIMIT", InputError);
  CHECK_THROWS_AS((void)query(path, "SELECT id FROM request", {.max_bytes = 1000}), InputError);
}

TEST_CASE_FIXTURE(Fixture, "mistakes are told in SQLite's words, a slow query with its limit") {
  CHECK(refusal(path, "SELECT ttft FROM request_latency") == "error: query: no such column: ttft");
  CHECK(refusal(path, "SELECT \"scenari\" FROM run") == "error: query: no such column: scenari");
  CHECK(refusal(path, "DELETE FROM run") ==
        "error: query: not authorized; a query may only select from the result database");
  CHECK(refusal(path, "SELECT 1; SELECT 2") ==
        "error: query: more than one statement; ask one question at a time");
  CHECK(refusal(path, "  -- nothing") == "error: query: there is no statement in it");
  CHECK(refusal(path,
                "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) "
                "FROM c") == "error: query: stopped after 300 ms; narrow it or give it more time");
  const std::string absent = folder.file("absent.db");
  CHECK(refusal(absent, "SELECT 1") ==
        "error: '" + absent + "': there is no such result database; `tokenyard run` makes one");
  CHECK_FALSE(std::filesystem::exists(absent));
}

TEST_CASE_FIXTURE(Fixture, "a word is a view, a table or a saved query; anything else is SQL") {
  const std::string root = folder.file("root");
  std::filesystem::create_directories(root + "/reports/queries");
  std::ofstream(root + "/reports/queries/slowest.sql")
      << "-- Which requests waited longest,\n-- and where?\nSELECT id FROM request ORDER BY id "
         "LIMIT 2;\n";
  std::ofstream(root + "/reports/queries/README.md") << "not a query";
  CHECK(resolve_query(path, "run_summary", root) == "SELECT * FROM run_summary");
  CHECK(resolve_query(path, "meta", root) == "SELECT * FROM meta");
  CHECK(resolve_query(path, "SELECT 1", root) == "SELECT 1");
  CHECK(query(path, resolve_query(path, "slowest", root)).rows.size() == 2);
  CHECK_THROWS_WITH_AS(
      (void)resolve_query(path, "run_sumary", root),
      "error: query: there is no view, table or saved query 'run_sumary'; did you mean "
      "'run_summary'?",
      InputError);
  // Not a word, so it is taken as SQL, which it is not either.
  CHECK_THROWS_AS((void)query(path, resolve_query(path, "../queries/slowest", root)), InputError);
  const auto saved = store::saved_queries(root);
  REQUIRE(saved.size() == 1);
  CHECK(saved[0].name == "slowest");
  CHECK(saved[0].question == "Which requests waited longest, and where?");
}

TEST_CASE_FIXTURE(Fixture,
                  "every shipped query runs on a database of one run and says what it answers") {
  const std::string root = TOKENYARD_SOURCE_DIR;
  const auto saved = store::saved_queries(root);
  CHECK(saved.size() >= 10);
  for (const store::SavedQuery& q : saved) {
    CAPTURE(q.name);
    CHECK(q.question.find('?') != std::string::npos);
    // A view of that name would be shown instead.
    CHECK(resolve_query(path, q.name, root) != "SELECT * FROM " + q.name);
    CHECK_FALSE(query(path, resolve_query(path, q.name, root)).columns.empty());
  }
}

TEST_CASE_FIXTURE(Fixture, "idle_time: 400 of 1600 device seconds are 25 %, of 2.5 MUSD 625 kUSD") {
  const Table t = query(path, resolve_query(path, "idle_time", TOKENYARD_SOURCE_DIR));
  REQUIRE(t.rows.size() == 1);
  CHECK(t.rows[0][3] == Cell(0.25));
  CHECK(t.rows[0][7] == Cell(625'000.0));
}

TEST_CASE_FIXTURE(
    Fixture,
    "queueing: of requests after the warm-up of 10 s, 0.5 s of 1 s to the first token is half") {
  const Table t = query(path, resolve_query(path, "queueing", TOKENYARD_SOURCE_DIR));
  REQUIRE(t.rows.size() == 2);  // two classes
  CHECK(integer(t, 0, 5) + integer(t, 1, 5) == 90);
  CHECK(number(t, 0, 9) == 0.5);
  CHECK(number(t, 0, 10) == 0.25);
}

TEST_CASE_FIXTURE(
    Fixture,
    "cheapest_fleet_within_slo ranks a dear run within its SLO before a cheap one beyond it") {
  Store db(path);
  for (const auto& [name, usd, met] :
       {std::tuple{"dear", 0.9, 1.0}, std::tuple{"cheap", 0.1, 0.0}}) {
    store::RunRecord run = sample_run(0);
    run.scenario = name;
    run.workload = "another";
    run.result.metrics = {{"slo_met", met}};
    run.extra_metrics = {{"usd_per_mtok_output", usd}};
    db.write_run(run);
  }
  const Table t =
      query(path, resolve_query(path, "cheapest_fleet_within_slo", TOKENYARD_SOURCE_DIR));
  REQUIRE(t.rows.size() == 3);
  CHECK(text(t, 0, 2) == "dear");
  CHECK(text(t, 1, 2) == "cheap");
  CHECK(text(t, 2, 2) == "chat");
}

TEST_CASE_FIXTURE(
    Fixture,
    "equal_cost pairs a run with one that serves twice as much for 5 % more, not for 20 % more") {
  Store db(path);
  for (const auto& [name, usd, goodput] :
       {std::tuple{"base", 100.0, 1.0}, std::tuple{"close", 105.0, 2.0},
        std::tuple{"far", 120.0, 9.0}}) {
    store::RunRecord run = sample_run(0);
    run.scenario = name;
    run.workload = "another";
    run.result.metrics = {{"goodput_requests_per_s", goodput}};
    run.extra_metrics = {{"tco_usd", usd}};
    db.write_run(run);
  }
  const Table t = query(path, resolve_query(path, "equal_cost", TOKENYARD_SOURCE_DIR));
  REQUIRE(t.rows.size() == 1);
  CHECK(text(t, 0, 2) == "base");
  CHECK(text(t, 0, 7) == "close");
  CHECK(number(t, 0, 11) == 2.0);
}
