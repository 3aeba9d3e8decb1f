// The scenarios that are shipped.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "transcript.hpp"

namespace tokenyard::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> scenarios() {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(fs::path(TOKENYARD_SOURCE_DIR) / "scenarios")) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Environment that finds the public traces, where they are.
std::string with_data() {
  const char* given = std::getenv("TOKENYARD_DATA");
  return std::string("TOKENYARD_DATA='") +
         (given != nullptr ? given : TOKENYARD_SOURCE_DIR "/../shared/data") + "' ";
}

}  // namespace

TEST_CASE("every shipped scenario can be explained, is called like its file, and asks a question") {
  REQUIRE(scenarios().size() >= 8);
  const Shell shell;
  for (const std::string& name : scenarios()) {
    CAPTURE(name);
    const CommandEnd end = shell.run(with_data() +
                                     "tokenyard explain --catalog \"$ROOT\" --json "
                                     "\"$ROOT/scenarios/" +
                                     name + ".yaml\"");
    if (end.err.find("there is no trace") != std::string::npos) {
      MESSAGE(name << " is left out: its trace is not on this machine");
      continue;
    }
    CHECK(end.err == "");
    REQUIRE(end.code == 0);
    const nlohmann::json plan = nlohmann::json::parse(end.out).at(0).at("scenario");
    CHECK(plan.at("name") == name);
    CHECK(plan.at("description").get<std::string>().ends_with('?'));
  }
}

TEST_CASE("the first scenarios run on what is shipped, and hello meets its limits") {
  const Shell shell;
  for (const char* name : {"hello", "chat-on-h100"}) {
    CAPTURE(name);
    const CommandEnd end =
        shell.run(std::string("tokenyard run --db r.db --catalog \"$ROOT\" --json "
                              "\"$ROOT/scenarios/") +
                  name + ".yaml\"");
    REQUIRE(end.code == 0);
    const nlohmann::json run = nlohmann::json::parse(end.out).at(0);
    CHECK(run.at("status") == "done");
    CHECK(run.at("metrics").at("slo_met") == 1.0);
  }
}

TEST_CASE("one of each: every node of the catalog has a row, with a result or with what is short") {
  const Shell shell;
  const CommandEnd end = shell.run(
      "tokenyard run --db each.db --jobs 2 --catalog \"$ROOT\" --json "
      "\"$ROOT/scenarios/one-of-each.yaml\"");
  REQUIRE(end.code == 0);
  std::set<std::string> left;
  const fs::path nodes = fs::path(TOKENYARD_SOURCE_DIR) / "hardware_catalog" / "nodes";
  for (const fs::directory_entry& file : fs::directory_iterator(nodes))
    left.insert(file.path().stem().string());
  int served = 0;
  for (const nlohmann::json& run : nlohmann::json::parse(end.out)) {
    const std::string node = run.at("parameters").at("fleet.pools[main].node");
    CAPTURE(node);
    CHECK(left.erase(node) == 1);
    if (run.at("status") == "done") {
      ++served;
      CHECK(run.at("metrics").at("output_tokens_per_s") > 0.0);
    } else {
      CHECK(run.at("status") == "unfit");
      CHECK(run.at("message").get<std::string>().find("short by") != std::string::npos);
    }
  }
  CHECK(left.empty());
  CHECK(served >= 57);
}

TEST_CASE("the silicon that is one model serves it: short chat on Taalas HC1, unknowns named") {
  const Shell shell;
  const CommandEnd end = shell.run(
      "tokenyard run --db hc1.db --catalog \"$ROOT\" --json --set sweep=null --set requests=500 "
      "\"$ROOT/scenarios/hardwired-8b.yaml\"");
  REQUIRE(end.code == 0);
  const nlohmann::json run = nlohmann::json::parse(end.out).at(0);
  CHECK(run.at("status") == "done");
  CHECK(run.at("unknown").size() >= 1);
  CHECK(run.at("marked").empty());
}

}  // namespace tokenyard::test
