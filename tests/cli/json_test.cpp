#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "transcript.hpp"

namespace tokenyard::test {
namespace {

using nlohmann::json;

// Standard output of a command that ends well, as JSON.
json json_of(const Shell& shell, const std::string& command) {
  CAPTURE(command);
  const CommandEnd end = shell.run(command);
  CHECK(end.code == 0);
  REQUIRE(json::accept(end.out));
  return json::parse(end.out);
}

}  // namespace

TEST_CASE(
    "run --json is a list with one object a run: what it was and every metric in base units") {
  const Shell shell;
  const json runs = json_of(
      shell, "tokenyard run toy.yaml --db r.db --json --set 'sweep={seed: [1, 2]}' --set scale=2");
  REQUIRE(runs.size() == 2);
  CHECK(runs[0]["run_id"] == 1);
  CHECK(runs[1]["run_id"] == 2);
  CHECK(runs[1]["scenario"] == "toy");
  CHECK(runs[1]["variant"] == "scale=2, seed=2");
  CHECK(runs[1]["parameters"] == json{{"scale", "2"}, {"seed", "2"}});
  CHECK(runs[1]["status"] == "done");
  CHECK(runs[1]["plan_hash"].get<std::string>().size() == 64);
  CHECK(runs[1]["metrics"]["tpot_p50_s"].get<double>() == doctest::Approx(0.008).epsilon(0.01));
  CHECK(runs[1]["metrics"].contains("tco_usd"));
  CHECK(runs[1]["expectations"] == json::array());
}

TEST_CASE("explain --json is a list with one plan a variant") {
  const Shell shell;
  const json plans =
      json_of(shell, "tokenyard explain toy.yaml --json --set 'sweep={seed: [1, 2]}'");
  REQUIRE(plans.size() == 2);
  CHECK(plans[1]["scenario"]["seed"] == 2);
  CHECK(plans[1]["pools"][0]["devices"][0]["name"] == "toy");
}

TEST_CASE("tables as JSON are lists of objects, empty ones too") {
  const Shell shell;
  CHECK(shell.run("tokenyard run toy.yaml --db r.db").code == 0);
  CHECK(json_of(shell, "tokenyard query --db r.db --json 'SELECT id FROM request'").size() == 10);
  CHECK(json_of(shell, "tokenyard query --db r.db --json 'SELECT id FROM request WHERE id > 99'") ==
        json::array());
  CHECK(json_of(shell, "tokenyard query --json --catalog \"$ROOT\"").size() > 10);
  CHECK(json_of(shell, "tokenyard metrics --json").size() > 50);
  CHECK(json_of(shell, "tokenyard catalog list --json").size() == 6);
  CHECK(json_of(shell, "tokenyard catalog check --json").is_array());
  CHECK(json_of(shell, "tokenyard catalog check --format json").is_array());
  CHECK(json_of(shell, "tokenyard trace stats workloads/ten.yaml --json").size() > 10);
}

TEST_CASE("catalog show is JSON for every kind of entry") {
  const Shell shell;
  for (const char* name : {"toy", "toy-node", "toy-switch", "toy-site", "toy-4b"}) {
    CHECK(json_of(shell, std::string("tokenyard catalog show ") + name)["name"] == name);
  }
}

}  // namespace tokenyard::test
