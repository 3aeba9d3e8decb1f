#include <doctest/doctest.h>

#include <algorithm>

#include "support/toy_calibration.hpp"
#include "support/toy_yard.hpp"

namespace tokenyard::scenario {
namespace {

using test::kToyCalibration;
using test::kToyCalibrationPath;
using test::kToyScenario;
using test::ToyYard;

// The toy's calibration with another name, date and share of the memory bandwidth.
void write_other(const ToyYard& yard, const std::string& name, const std::string& date,
                 const std::string& bandwidth) {
  const std::string path = "hardware_catalog/calibrations/" + name + ".yaml";
  yard.write(path, kToyCalibration);
  yard.edit(path, "toy-fit", name);
  yard.edit(path, "2026-11-23", date);
  yard.edit(path, "    bandwidth: 0.75", "    bandwidth: " + bandwidth);
}

double bandwidth_of(const Plan& plan) {
  return plan.pools.at(0).devices.at(0).engines.at(0).efficiency.decode;
}

Assumption assumption(const Plan& plan, const std::string& key) {
  const auto found = std::find_if(plan.assumptions.begin(), plan.assumptions.end(),
                                  [&](const Assumption& a) { return a.key == key; });
  REQUIRE_MESSAGE(found != plan.assumptions.end(), "no assumption ", key);
  return *found;
}

}  // namespace

TEST_CASE("by itself a plan takes a calibration that lists its device") {
  const ToyYard yard;
  yard.write(kToyCalibrationPath, kToyCalibration);
  const Plan plan = yard.plan();
  const catalog::Device& d = plan.pools.at(0).devices.at(0);
  const catalog::Engine& engine = d.engines.at(0);
  CHECK(engine.efficiency.prefill == 0.5);
  CHECK(engine.efficiency.experts == 0.25);
  CHECK(engine.efficiency.decode == 0.75);
  CHECK(engine.efficiency.attention_decode == 0.625);
  CHECK(engine.efficiency.prefill_by_format.empty());
  CHECK(engine.launch_overhead.value == microseconds(3));
  CHECK(engine.prompt_layer_latency.value == milliseconds(0.25));
  CHECK(engine.efficiency.attention_prefill == 1.0);  // not calibrated: the device's own
  CHECK(d.links.at(0).collective_latency.value == microseconds(15));
  CHECK(d.links.at(0).efficiency == 0.7);
  CHECK(d.links.at(0).latency.value == microseconds(1));
  CHECK(plan.scenario.serving.host.per_step == milliseconds(2));
  CHECK(plan.scenario.serving.host.per_request == milliseconds(20));
  CHECK(plan.scenario.serving.host.per_sequence == HostOverhead{}.per_sequence);
  CHECK(plan.pools.at(0).calibrations == std::vector<std::string>{"toy-fit"});
}

TEST_CASE("shares of formats other than bf16 are of those formats alone") {
  const ToyYard yard;
  yard.write(kToyCalibrationPath, kToyCalibration);
  yard.edit(kToyCalibrationPath, "    experts: 0.25\n", "      fp8: 0.45\n");
  yard.edit("hardware_catalog/devices/toy.yaml", "peak: {bf16: 100 TFLOP/s}",
            "peak: {bf16: 100 TFLOP/s, fp8: 200 TFLOP/s}");
  const Plan plan = yard.plan();
  const catalog::Efficiency& e = plan.pools.at(0).devices.at(0).engines.at(0).efficiency;
  CHECK(e.prefill == 0.5);
  CHECK(e.prefill_by_format.at("fp8").value == 0.45);
  CHECK(e.experts == 1.0);
}

TEST_CASE("only the engine that a calibration names is calibrated, by default the first") {
  const ToyYard yard;
  yard.write(kToyCalibrationPath, kToyCalibration);
  yard.edit("hardware_catalog/devices/toy.yaml", "memory:\n",
            "  - {name: side, peak: {bf16: 1 TFLOP/s}, efficiency: {decode: 0.9}}\nmemory:\n");
  const auto decode = [](const Plan& plan, std::size_t engine) {
    return plan.pools.at(0).devices.at(0).engines.at(engine).efficiency.decode.value;
  };
  CHECK(decode(yard.plan(), 0) == 0.75);
  CHECK(decode(yard.plan(), 1) == 0.9);
  yard.edit(kToyCalibrationPath, "    link: wire", "    engine: side\n    link: wire");
  CHECK(decode(yard.plan(), 0) == 1.0);
  CHECK(decode(yard.plan(), 1) == 0.75);
}

TEST_CASE("of several calibrations the newest counts; a scenario may name another, or none") {
  const ToyYard yard;
  write_other(yard, "older", "2025-01-01", "0.6");
  write_other(yard, "newer", "2026-01-01", "0.8");
  CHECK(bandwidth_of(yard.plan()) == 0.8);
  CHECK(bandwidth_of(yard.plan(kToyScenario + "calibration: auto\n")) == 0.8);
  CHECK(bandwidth_of(yard.plan(kToyScenario + "calibration: older\n")) == 0.6);
  const Plan none = yard.plan(kToyScenario + "calibration: none\n");
  CHECK(bandwidth_of(none) == 1.0);
  CHECK(none.scenario.serving.host.per_step == HostOverhead{}.per_step);
  CHECK(none.pools.at(0).calibrations == std::vector<std::string>{""});
}

TEST_CASE("a device that the newest calibration does not list has an older one's numbers") {
  const ToyYard yard;
  write_other(yard, "older", "2025-01-01", "0.6");
  write_other(yard, "newer", "2026-01-01", "0.8");
  yard.edit("hardware_catalog/calibrations/newer.yaml", "device: toy", "device: another");
  CHECK(bandwidth_of(yard.plan()) == 0.6);
  CHECK(bandwidth_of(yard.plan(kToyScenario + "calibration: newer\n")) == 1.0);
}

TEST_CASE("an overlay is a device of its own, calibrated where it is listed by its name") {
  const ToyYard yard;
  yard.write(kToyCalibrationPath, kToyCalibration);
  yard.write("hardware_catalog/devices/toy-2.yaml",
             "name: toy-2\noverlay_of: toy\nsource: pencil\nconfidence: assumed\n"
             "changes: {\"memory[hbm].capacity\": 32 GB}\n");
  yard.edit("hardware_catalog/nodes/toy-node.yaml", "device: toy,", "device: toy-2,");
  CHECK(bandwidth_of(yard.plan()) == 1.0);
  yard.edit(kToyCalibrationPath, "device: toy\n", "device: toy-2\n");
  CHECK(bandwidth_of(yard.plan()) == 0.75);
}

TEST_CASE("what a scenario states of its host stays; what it does not state is fitted") {
  const ToyYard yard;
  yard.write(kToyCalibrationPath, kToyCalibration);
  const Plan plan = yard.plan(kToyScenario + "serving: {host: {per_step: 0.5 ms}}\n");
  CHECK(plan.scenario.serving.host.per_step == milliseconds(0.5));
  CHECK(plan.scenario.serving.host.per_request == milliseconds(20));
  // What is stated is no assumption.
  CHECK(std::none_of(plan.assumptions.begin(), plan.assumptions.end(),
                     [](const Assumption& a) { return a.key == "serving.host.per_step"; }));
  const Assumption fitted = assumption(plan, "serving.host.per_request");
  CHECK(fitted.value == "20.0 ms");
  CHECK(fitted.confidence == "measured");
  CHECK(fitted.source == "calibration toy-fit of 2026-11-23");
}

TEST_CASE("a run rests on its calibration: how far off it is, of models left out where known") {
  const ToyYard yard;
  yard.write(kToyCalibrationPath, kToyCalibration);
  const Assumption row = assumption(yard.plan(), "device toy: calibration");
  CHECK(row.value ==
        "toy-fit of 2026-11-23: TPOT 6.00 % (median), 12.0 % (90 of 100); "
        "TTFT 9.00 % (median), 18.0 % (90 of 100)");
  CHECK(row.confidence == "measured");
  CHECK(row.source == "a toy maker");
}

TEST_CASE("of a device without a calibration a run says how far off others were before theirs") {
  const ToyYard yard;
  const std::string key = "device toy: uncalibrated";
  CHECK(assumption(yard.plan(), key).value == "no device is calibrated");
  // The worst of all calibrations counts: medians of 20 and 25 %, 90 of 100 within 40 and 30 %.
  yard.write(kToyCalibrationPath, kToyCalibration);
  write_other(yard, "other", "2026-01-01", "0.8");
  yard.edit("hardware_catalog/calibrations/other.yaml", "{median: 20 %, p90: 40 %}",
            "{median: 25 %, p90: 30 %}");
  const Assumption row = assumption(yard.plan(kToyScenario + "calibration: none\n"), key);
  CHECK(row.value == "as calibrated devices were before: TPOT 25.0 % (median), 40.0 % (90 of 100)");
  CHECK(row.confidence == "uncalibrated");
  CHECK(row.source == "before calibration: toy-fit other");
}

TEST_CASE("the hash of a plan knows its calibration by name and by numbers") {
  const ToyYard yard;
  const std::string none = yard.plan().hash;
  write_other(yard, "one", "2026-01-01", "0.8");
  const std::string one = yard.plan().hash;
  CHECK(one != none);
  write_other(yard, "two", "2026-01-02", "0.8");
  const Plan two = yard.plan();
  CHECK(two.hash != one);
  CHECK(two.json.find("\"calibrations\":[\"two\"]") != std::string::npos);
}

TEST_CASE("a calibration that does not exist, or does not fit its device, is refused") {
  const ToyYard yard;
  yard.write(kToyCalibrationPath, kToyCalibration);
  CHECK(yard.refusal(kToyScenario + "calibration: toy-fid\n") ==
        "s.yaml:11:14: error: calibration: no calibration 'toy-fid' in the catalog; did you mean "
        "'toy-fit'?\n"
        "   11 | calibration: toy-fid\n"
        "      |              ^");
  CHECK(yard.refusal(kToyScenario + "calibration: [toy-fit]\n") ==
        "s.yaml:11:14: error: calibration: a list stands here; expected text\n"
        "   11 | calibration: [toy-fit]\n"
        "      |              ^");
  yard.edit(kToyCalibrationPath, "link: wire", "link: wires");
  CHECK(yard.refusal(kToyScenario) ==
        "hardware_catalog/calibrations/toy-fit.yaml:19:5: error: calibration toy-fit: toy has no "
        "link 'wires'; did you mean 'wire'?\n"
        "   19 |   - device: toy\n"
        "      |     ^");
  CHECK(yard.refusal(kToyScenario + "calibration: none\n") == "");
}

}  // namespace tokenyard::scenario
