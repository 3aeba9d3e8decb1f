#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "json_schema.hpp"
#include "scenario/scenario_file.hpp"
#include "support/toy_calibration.hpp"
#include "transcript.hpp"

namespace tokenyard::test {
namespace {

namespace fs = std::filesystem;

json schema_of(const std::string& kind) {
  const CommandEnd end = Shell().run("tokenyard schema " + kind);
  REQUIRE(end.code == 0);
  return json::parse(end.out);
}

json yaml_as_json(const std::string& text) {
  Diagnostics diagnostics;
  const input::Node node = input::parse_yaml(text, "t.yaml", diagnostics);
  diagnostics.throw_if_any();
  return as_json(node);
}

template <class T>
bool reader_takes(const std::string& text) {
  Diagnostics diagnostics;
  const input::Node node = input::parse_yaml(text, "t.yaml", diagnostics);
  input::ReadContext context{&diagnostics, "", std::nullopt};
  T value;
  input::read_value(context, node, value);
  return diagnostics.empty();
}

const std::string kFleet = "fleet: {pools: [{name: a, node: b, deploy: {model: c}}]}\n";
const std::string kGood = "name: x\nworkload: w.yaml\n" + kFleet;

}  // namespace

TEST_CASE("every shipped file is what the schema of its kind says") {
  const fs::path root = TOKENYARD_SOURCE_DIR;
  const std::vector<std::pair<std::string, std::string>> kinds{
      {"scenario", "scenarios"},
      {"workload", "workloads"},
      {"device", "hardware_catalog/devices"},
      {"node", "hardware_catalog/nodes"},
      {"fabric", "hardware_catalog/fabrics"},
      {"site", "hardware_catalog/sites"},
      {"model", "workloads/models"},
      {"formats", "workloads"},
      {"published-conditions", "workloads"}};
  // Files of these names are kinds of their own, among those of another.
  const std::set<std::string> alone{"formats", "published-conditions"};
  for (const auto& pair : kinds) {
    const std::string& kind = pair.first;
    const json schema = schema_of(kind);
    int files = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(root / pair.second)) {
      if (entry.path().extension() != ".yaml") continue;
      const std::string stem = entry.path().stem().string();
      if (alone.contains(stem) ? stem != kind : alone.contains(kind)) continue;
      CAPTURE(entry.path());
      CHECK(SchemaCheck::objection(schema, yaml_as_json(text_of(entry.path()))) == "");
      ++files;
    }
    CHECK_MESSAGE(files > 0, "no file of kind ", kind);
  }
}

TEST_CASE("the toy catalog of the tests is what the schemas say") {
  for (const auto& [path, text] : toy_catalog_files()) {
    if (!path.starts_with("hardware_catalog/devices")) continue;
    CHECK(SchemaCheck::objection(schema_of("device"), yaml_as_json(text)) == "");
  }
}

TEST_CASE("a calibration is what its schema says, and one without devices is not") {
  const json schema = schema_of("calibration");
  const json calibration = yaml_as_json(kToyCalibration);
  CHECK(SchemaCheck::objection(schema, calibration) == "");
  json without = calibration;
  without.erase("devices");
  CHECK(SchemaCheck::objection(schema, without) != "");
}

TEST_CASE("what the schema of a scenario takes, the reader takes: short forms and long ones") {
  const json schema = schema_of("scenario");
  for (const std::string& text :
       {kGood, kGood + "seed: 5\nscale: 50 %\nduration: 1 h\nwarmup: 5 min\n",
        kGood + "scale: 0.5\n", kGood + "slo: {ttft_p99: 2 s, tpot_mean: null}\n",
        kGood + "faults: {enabled: false}\nautoscaling: null\n",
        kGood + "faults: {enabled: true, rate_scale: 100, device: {repair: 1 h}}\n",
        kGood + "autoscaling: {policy: slo, target_ttft: 2 s, min: 2}\n",
        kGood + "economics: {utilization: from-simulation}\n",
        kGood + "economics: {utilization: 0.4, market: {usd_per_device_hour: 2}}\n",
        kGood + "expect: [{metric: mfu, value: 30 %, tolerance: 0.1}]\n",
        std::string("name: x\nworkload: w.yaml\nfleet: {pools: [{name: a, node: b, deploy: "
                    "[{model: c, replicas: auto}, {model: d, replicas: 2}]}]}\n"),
        "name: x\n" + kFleet +
            "workload: {generator: {kind: poisson, rate: 1 /s, input: 5, output: {kind: uniform, "
            "min: 1, max: 9}}}\n"}) {
    CAPTURE(text);
    CHECK(SchemaCheck::objection(schema, yaml_as_json(text)) == "");
    CHECK(reader_takes<scenario::ScenarioFile>(text));
  }
}

TEST_CASE("a scenario of the wrong structure is refused by schema and reader alike") {
  const json schema = schema_of("scenario");
  for (const std::string& text :
       {std::string("[]"),
        std::string("name: x\n"),
        "workload: w.yaml\n" + kFleet,
        kGood + "sede: 1\n",
        kGood + "seed: 1.5\n",
        kGood + "seed: one\n",
        kGood + "warmup: 300\n",
        kGood + "warmup: soon\n",
        kGood + "duration: [1 h]\n",
        kGood + "requests: 5 k\n",
        kGood + "slo: {ttft_99: 2 s}\n",
        kGood + "slo: {ttft_p99: 2}\n",
        kGood + "slo: [2 s]\n",
        kGood + "serving: {router: prefix}\n",
        kGood + "serving: {ruoter: random}\n",
        kGood + "serving: {scheduler: {policy: orca}}\n",
        kGood + "serving: {speculation: {kind: guess, speedup: 2}}\n",
        kGood + "faults: {enabled: perhaps}\n",
        kGood + "autoscaling: {policy: hope}\n",
        kGood + "serving: {kv_cache: {prefix_reuse: yes please}}\n",
        kGood + "store_requests: some\n",
        kGood + "economics: {utilization: always}\n",
        kGood + "expect: {metric: mfu, value: 1}\n",
        kGood + "expect: [{metric: mfu}]\n",
        std::string(
            "name: x\nworkload: w.yaml\nfleet: {pools: [{name: a, node: b, deploy: []}]}\n"),
        std::string("name: x\nworkload: w.yaml\nfleet: {pools: [{name: a, node: b}]}\n"),
        std::string("name: x\nworkload: w.yaml\nfleet: {pools: {name: a}}\n"),
        "name: x\n" + kFleet + "workload: {generator: {kind: poison, rate: 1 /s}}\n",
        "name: x\n" + kFleet + "workload: [w.yaml]\n"}) {
    CAPTURE(text);
    CHECK(SchemaCheck::objection(schema, yaml_as_json(text)) != "");
    CHECK_FALSE(reader_takes<scenario::ScenarioFile>(text));
  }
}

TEST_CASE("the check of schemas refuses keywords that it does not know") {
  CHECK_THROWS_AS(SchemaCheck::objection(json{{"maximum", 5}}, json(4)), InternalError);
}

}  // namespace tokenyard::test
