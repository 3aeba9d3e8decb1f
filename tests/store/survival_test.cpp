// What other processes may do to a database: be killed while writing, write at once, fill the disk.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <thread>

#include "base/error.hpp"
#include "base/random.hpp"
#include "store/query.hpp"
#include "store/sample_run.hpp"
#include "store/store.hpp"

using namespace tokenyard;
using namespace tokenyard::test;
using store::RunRecord;
using store::Store;

namespace {

// Runs `work` in a child process; its return value is the exit status.
pid_t start_child(const std::function<int()>& work) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    int status = 99;
    try {
      status = work();
    } catch (...) {
      status = 98;
    }
    ::_exit(status);
  }
  return child;
}

int status_of(pid_t child) {
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

// Runs whose stored requests are not all there.
std::int64_t partial_runs(const std::string& path) {
  return integer(store::query(path,
                              "SELECT count(*) FROM run WHERE requests_seen <> "
                              "(SELECT count(*) FROM request WHERE run_id = run.id)"));
}

std::int64_t orphans(const std::string& path) {
  return integer(
      store::query(path, "SELECT count(*) FROM request WHERE run_id NOT IN (SELECT id FROM run)"));
}

}  // namespace

TEST_CASE("a writer killed at any moment leaves whole runs only") {
  const ScratchFolder folder;
  const std::string path = folder.file("results.db");
  { Store made(path); }
  const RunRecord run = sample_run(2000);
  RandomStream random(1, "kills");
  std::int64_t runs_before = 0;
  int killed_while_writing = 0;
  for (int kill = 0; kill < 40; ++kill) {
    const pid_t child = start_child([&] {
      Store db(path);
      while (true) db.write_run(run);
      return 0;
    });
    std::this_thread::sleep_for(std::chrono::microseconds(random.integer(3'000, 30'000)));
    ::kill(child, SIGKILL);
    CHECK(status_of(child) == 1000 + SIGKILL);
    if (std::filesystem::exists(path + "-journal")) ++killed_while_writing;
    const std::int64_t runs = integer(store::query(path, "SELECT count(*) FROM run"));
    CHECK(runs >= runs_before);
    runs_before = runs;
    REQUIRE(partial_runs(path) == 0);
    REQUIRE(orphans(path) == 0);
  }
  MESSAGE("40 kills, " << killed_while_writing << " of them within a transaction, " << runs_before
                       << " runs stored");
  CHECK(runs_before > 0);
  CHECK(killed_while_writing > 0);
  CHECK(Store(path).write_run(run) == runs_before + 1);
}

TEST_CASE("two writers at once lose no run") {
  const ScratchFolder folder;
  const std::string path = folder.file("results.db");
  constexpr int kRuns = 20;
  const auto write_runs = [&](const std::string& name) {
    return start_child([&path, name] {
      Store db(path);
      for (int i = 0; i < kRuns; ++i) db.write_run(sample_run(100, name + std::to_string(i)));
      return 0;
    });
  };
  const pid_t first = write_runs("a");
  const pid_t second = write_runs("b");
  CHECK(status_of(first) == 0);
  CHECK(status_of(second) == 0);
  CHECK(integer(store::query(path, "SELECT count(*) FROM run")) == 2 * kRuns);
  CHECK(partial_runs(path) == 0);
}

TEST_CASE("a file that may not grow keeps its earlier runs and says how much room was missing") {
  const ScratchFolder folder;
  const std::string path = folder.file("results.db");
  Store(path).write_run(sample_run(1000, "a"));
  const auto size = std::filesystem::file_size(path);
  const pid_t child = start_child([&] {
    // What a full disk or a quota does: writes beyond the limit fail.
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{size + 100'000, size + 100'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    Store db(path);
    try {
      db.write_run(sample_run(100'000, "b"));
      return 1;
    } catch (const InputError&) {
      return 2;
    } catch (const InternalError&) {
      return 3;
    } catch (const std::runtime_error& error) {
      const std::string message = error.what();
      if (message.find(path) == std::string::npos) return 4;
      if (message.find(
              "nothing of this run (about 15.1 MB) was stored; earlier runs are as before") ==
          std::string::npos) {
        return 5;
      }
    }
    // The same object goes on with a run that fits.
    return db.write_run(sample_run(10, "c")) == 2 ? 0 : 6;
  });
  CHECK(status_of(child) == 0);
  CHECK(partial_runs(path) == 0);
  CHECK(integer(store::query(path, "SELECT count(*) FROM run")) == 2);
  CHECK(Store(path).write_run(sample_run(100'000, "b")) == 3);
}

TEST_CASE("a shard that cannot be written leaves no file") {
  const ScratchFolder folder;
  const std::string path = folder.file("a.db");
  const pid_t child = start_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{200'000, 200'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      store::write_shard(path, sample_run(100'000));
    } catch (const std::runtime_error& error) {
      return std::string(error.what()).find("the shard was not written") != std::string::npos ? 0
                                                                                              : 1;
    }
    return 2;
  });
  CHECK(status_of(child) == 0);
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK_FALSE(std::filesystem::exists(path + ".partial"));
}
