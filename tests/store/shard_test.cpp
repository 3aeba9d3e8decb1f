#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "store/query.hpp"
#include "store/sample_run.hpp"
#include "store/store.hpp"

using namespace tokenyard;
using namespace tokenyard::test;
using store::RunRecord;
using store::Store;

namespace {

// All rows of all tables, without the numbers of the runs.
std::vector<Table> everything(const std::string& path) {
  std::vector<Table> tables;
  for (const char* sql :
       {"SELECT scenario, workload, variant, status, plan_hash, plan_json, events FROM run ORDER "
        "BY scenario",
        "SELECT key, value FROM parameter ORDER BY key", "SELECT key, source FROM assumption",
        "SELECT name, value, unit FROM metric ORDER BY name, value", "SELECT metric, met FROM slo",
        "SELECT pool, nodes, devices FROM pool",
        "SELECT pool, t_s, power_w FROM sample ORDER BY t_s",
        "SELECT cause, device_seconds, share FROM attribution ORDER BY cause",
        "SELECT component, joules FROM energy ORDER BY component",
        "SELECT pool, category, item, usd FROM cost ORDER BY usd",
        "SELECT metric, verdict, ratio FROM expectation",
        "SELECT id, session, class, model, pool, arrival_s, finished_s, status FROM request "
        "ORDER BY run_id, id"}) {
    tables.push_back(store::query(path, sql));
  }
  return tables;
}

}  // namespace

TEST_CASE("shards merged hold the same rows as runs written directly") {
  const ScratchFolder folder;
  RunRecord a = sample_run(10, "a");
  RunRecord b = sample_run(20, "b");
  b.scenario = "other";
  Store direct(folder.file("direct.db"));
  direct.write_run(a);
  direct.write_run(b);
  Store merged(folder.file("merged.db"));
  store::write_shard(folder.file("a.db"), a);
  store::write_shard(folder.file("b.db"), b);
  CHECK(merged.merge_shard(folder.file("a.db")) == std::vector<std::int64_t>{1});
  CHECK(merged.merge_shard(folder.file("b.db")) == std::vector<std::int64_t>{2});
  const auto expected = everything(direct.path());
  const auto actual = everything(merged.path());
  REQUIRE(expected.size() == actual.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(expected[i].rows == actual[i].rows);
    CHECK_FALSE(actual[i].rows.empty());
  }
}

TEST_CASE("merging a shard twice changes nothing") {
  const ScratchFolder folder;
  Store db(folder.file("results.db"));
  db.write_run(sample_run(3, "other"));
  store::write_shard(folder.file("a.db"), sample_run(10, "a"));
  CHECK(db.merge_shard(folder.file("a.db")) == std::vector<std::int64_t>{2});
  const auto once = everything(db.path());
  CHECK(db.merge_shard(folder.file("a.db")) == std::vector<std::int64_t>{2});
  const auto twice = everything(db.path());
  for (std::size_t i = 0; i < once.size(); ++i) CHECK(once[i].rows == twice[i].rows);
}

TEST_CASE("a failed shard does not replace a run that is done") {
  const ScratchFolder folder;
  Store db(folder.file("results.db"));
  db.write_run(sample_run(3, "a"));
  RunRecord failed = sample_run(0, "a");
  failed.status = store::RunStatus::failed;
  store::write_shard(folder.file("a.db"), failed);
  CHECK(db.merge_shard(folder.file("a.db")) == std::vector<std::int64_t>{1});
  CHECK(db.has_run(failed.key));
  CHECK(integer(store::query(db.path(), "SELECT count(*) FROM request")) == 3);
}

TEST_CASE("a shard replaces a file of its name and leaves no partial file") {
  const ScratchFolder folder;
  const std::string path = folder.file("a.db");
  std::ofstream(path) << "old";
  std::ofstream(path + ".partial") << "left by a killed worker";
  store::write_shard(path, sample_run(4));
  CHECK(integer(store::query(path, "SELECT count(*) FROM request")) == 4);
  CHECK_FALSE(std::filesystem::exists(path + ".partial"));
}

TEST_CASE("what is not a shard is refused by name, and the database can be written afterwards") {
  const ScratchFolder folder;
  Store db(folder.file("results.db"));
  const std::string path = folder.file("a.db");
  CHECK_THROWS_WITH_AS(db.merge_shard(path),
                       ("error: '" + path + "': there is no such shard").c_str(), InputError);
  std::ofstream(path) << "hello";
  CHECK_THROWS_WITH_AS(
      db.merge_shard(path),
      ("error: '" + path + "' is not an SQLite database; it was left as it is").c_str(),
      InputError);
  CHECK_THROWS_AS(db.merge_shard(db.path()), InputError);
  CHECK(db.write_run(sample_run(1)) == 1);
}

TEST_CASE("half a shard is refused and changes nothing") {
  const ScratchFolder folder;
  Store db(folder.file("results.db"));
  db.write_run(sample_run(3, "a"));
  const std::string path = folder.file("b.db");
  store::write_shard(path, sample_run(5000, "b"));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  std::string message;
  try {
    db.merge_shard(path);
  } catch (const std::runtime_error& error) {
    message = error.what();
  }
  CHECK(message.rfind("'" + path + "' is damaged (", 0) == 0);
  CHECK(message.find("; it was not merged") != std::string::npos);
  CHECK(integer(store::query(db.path(), "SELECT count(*) FROM run")) == 1);
  store::write_shard(path, sample_run(5000, "b"));
  CHECK(db.merge_shard(path) == std::vector<std::int64_t>{2});
}

TEST_CASE("a shard in a folder that is not there is refused") {
  const ScratchFolder folder;
  const std::string path = folder.file("absent/a.db");
  CHECK_THROWS_WITH_AS(
      store::write_shard(path, sample_run(1)),
      ("error: '" + path + "' cannot be opened; is its folder there and writable?").c_str(),
      InputError);
}
