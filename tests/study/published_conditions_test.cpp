// What rules of published rows say: their patterns, units and formulas, and rows that they do not fit.
#include "study/published_conditions.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "study/published_rows.hpp"

namespace tokenyard::study {
namespace {

// The toy catalog with rules of its own.
class ToyRules : public test::ToyYard {
 public:
  ToyRules() {
    write("hardware_catalog/sites/tight.yaml",
          "name: tight\nsource: pencil\nconfidence: assumed\nelectricity: 0.10 USD/kWh\npue: 1\n"
          "carbon_intensity: 0.4 kg/kWh\nfacility: {colo_per_kw_month: 100 USD/kW/month}\n"
          "rack: {power_limit: 100 W, price: 0 USD}\n");
    write("workloads/published-conditions.yaml", R"(name: toy
rules:
  - when: {metric: ttft}
    metric: ttft_mean_s
    units: {s: 1, ms: 0.001}
  - when: {metric: decode_throughput}
    metric: itl_p50_s
    units: {tok/s: 1}
    value: load / value
  - when: {}
    set:
      fleet.site: toy-site
      fleet.fabric: toy-switch
      pool.node: toy-node
      deploy.model: toy-4b
      deploy.tensor_parallel: =num_devices
      workload.generator:
        {kind: fixed-concurrency, concurrency: =load, requests: =load, input: =isl, output: =osl}
  - when: {scenario: pairs}
    set: {deploy.tensor_parallel: 2}
  - when: {scenario: in a rack of 100 W}
    set: {fleet.site: tight}
)");
  }
};

// A run of four sequences on one toy device, told apart from others by its source.
Row toy(const std::string& id, const std::string& metric, const std::string& value,
        const std::string& unit) {
  return {id,    "maker " + id, "toy", "1",    "toy-4b", "bf16", "plain",
          "100", "11",          "4",   metric, value,    unit};
}

TEST_CASE(
    "patterns: '*' is any text, '|' tells alternatives apart, and the whole text must match") {
  CHECK(matches("MLPerf*", "MLPerf Inference v5.1"));
  CHECK(matches("*", ""));
  CHECK(matches("tg* @ d*", "tg32 @ d32768"));
  CHECK_FALSE(matches("tg* @ d*", "tg128"));
  CHECK(matches("H100|H200", "H200"));
  CHECK_FALSE(matches("H100|H200", "H200 NVL"));
  CHECK_FALSE(matches("", "H200"));
}

TEST_CASE(
    "a unit that the rules accept is brought to the metric's, any other is the case's problem") {
  const ToyRules yard;
  const auto cases = cases_of(yard, {toy("A", "ttft", "0.2", "s"), toy("B", "ttft", "200", "ms"),
                                     toy("C", "ttft", "0.2", "min")});
  REQUIRE(cases.size() == 3);
  CHECK(cases[0].problem == "");
  CHECK(cases[0].measurements.front().value == doctest::Approx(0.2));
  CHECK(cases[1].measurements.front().value == doctest::Approx(0.2));
  CHECK(cases[2].problem == "its metric 'ttft' has the unit 'min'; accepted: ms, s");
}

TEST_CASE("odd rows are cases with a problem of one line, and the other rows go on") {
  const ToyRules yard;
  std::vector<Row> rows;
  const auto add = [&](const std::string& id, std::string Row::*field, const std::string& text) {
    rows.push_back(toy(id, "decode_throughput", "40", "tok/s"));
    rows.back().*field = text;
  };
  add("A", &Row::load, "");
  add("B", &Row::load, "batch 0");
  add("C", &Row::devices, "0");
  add("D", &Row::isl, "128.5");
  add("E", &Row::devices, "3");
  add("F", &Row::scenario, "pairs");
  add("G", &Row::load, "1,2");
  add("H", &Row::scenario, "in a rack of 100 W");
  add("I", &Row::load, "2");
  const auto cases = cases_of(yard, rows);
  REQUIRE(cases.size() == 9);
  const std::string unknown = "'load / value': the value of 'load' is not known: ";
  const std::string load = "batch_or_concurrency_or_rate";
  CHECK(cases[0].problem == unknown + load + " has no number");
  CHECK(cases[1].problem == "'load / value' is 0; expected more than 0");
  CHECK(cases[2].problem == "its number of devices is 0; expected 1 to 1000000");
  CHECK(cases[3].problem ==
        "workload.generator.input: '128.5' is not a whole number; expected one, such as '8'");
  // 64 heads.
  CHECK(cases[4].problem.find("tensor_parallel: 3 does not divide the 64") != std::string::npos);
  CHECK(cases[5].problem ==
        "its number of devices is 1; expected a multiple of the 2 of a replica");
  CHECK(cases[6].problem ==
        unknown + load +
            ": '1,2' is not a number: a comma between digits groups thousands, as in '1,024'");
  CHECK(cases[7].problem.find("a rack of site 'tight' delivers 100 W") != std::string::npos);
  CHECK(cases[8].problem == "");
  CHECK(cases[8].measurements.front().value == doctest::Approx(2.0 / 40));
}

TEST_CASE(
    "a mistake in a file of the catalog is shown in its place, a missing price is a problem") {
  const ToyRules yard;
  const std::vector<Row> rows{toy("A", "ttft", "200", "ms")};
  yard.edit("hardware_catalog/devices/toy.yaml", "price: 1000 USD\n", "");
  CHECK(cases_of(yard, rows).front().problem.find("device 'toy' of node 'toy-node' has no price") !=
        std::string::npos);
  yard.edit("hardware_catalog/nodes/toy-node.yaml", "count: 2", "count: two");
  CHECK(yard.message_of([&] { cases_of(yard, rows); })
            .find("hardware_catalog/nodes/toy-node.yaml:4:") == 0);
}

TEST_CASE("commas group thousands, and a number that nothing can be computed with is not known") {
  Row row = toy("A", "prefill_throughput", "512", "tok/s");
  row.isl = "pp1,024 @ d32,768";
  row.osl = "";
  row.load = std::string(400, '9');
  row.devices = "8.";
  const MeasuredCsv csv("m.csv", text_of({row}));
  RowNumbers numbers = numbers_of(csv.row(0), 512.0, std::nullopt);
  CHECK(numbers["isl"].value == 1024.0);
  CHECK(numbers["depth"].value == 32'768.0);
  CHECK(numbers["num_devices"].value == 8.0);
  CHECK_FALSE(numbers["load"].value.has_value());
  CHECK(numbers["load"].why.find("is beyond all numbers") != std::string::npos);
  CHECK(numbers["osl"].why == "osl has no number");
  CHECK(numbers["throughput"].why == "its run has no output_throughput");
}

TEST_CASE("a formula's whole number is written in digits: 100 * 1,000 is 100000 and not 1e+05") {
  input::Node node;
  node.kind = input::Node::Kind::scalar;
  node.quoted = true;
  node.scalar = "=load * 1000";
  const input::Node count = worked_out(node, {{"load", {100.0, ""}}});
  CHECK(count.scalar == "100000");
  CHECK_FALSE(count.quoted);
  CHECK(worked_out(node, {{"load", {0.00005, ""}}}).scalar == "0.05");
}

TEST_CASE("rules: unknown columns, metrics and numbers are refused together, each at its place") {
  namespace fs = std::filesystem;
  const fs::path file =
      fs::temp_directory_path() / ("published-conditions-" + std::to_string(getpid()) + ".yaml");
  std::ofstream(file) << "name: t\n"
                         "rules:\n"
                         "  - when: {modle: x}\n"
                         "    metric: ttft_men_s\n"
                         "  - when: {}\n"
                         "    value: 2 * valu\n"
                         "    set: {duration: =lod}\n"
                         "    units: {ms: 0}\n";
  std::vector<std::string> messages;
  try {
    load_conditions(file.string());
  } catch (const InputError& error) {
    for (const Diagnostic& d : error.diagnostics())
      messages.push_back(std::to_string(d.place.line) + " " + d.message);
  }
  fs::remove(file);
  REQUIRE(messages.size() == 5);
  CHECK(messages[0] == "3 unknown key 'modle'; did you mean 'model'?");
  CHECK(messages[1] == "4 there is no metric 'ttft_men_s'; did you mean 'ttft_mean_s'?");
  CHECK(messages[2] == "6 '2 * valu': unknown name 'valu'; did you mean 'value'?");
  CHECK(messages[3] == "7 'lod': unknown name 'lod'; did you mean 'load'?");
  CHECK(messages[4] == "8 'ms' is 0; expected a number above 0");
}

}  // namespace
}  // namespace tokenyard::study
