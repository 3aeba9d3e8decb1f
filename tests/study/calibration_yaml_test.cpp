#include "study/calibration_yaml.hpp"

#include <doctest/doctest.h>

#include "input/node.hpp"
#include "support/toy_calibration.hpp"

namespace tokenyard::study {
namespace {

using catalog::Calibration;

Calibration read_back(const std::string& yaml) {
  Diagnostics diagnostics;
  const input::Node root = input::parse_yaml(yaml, "t.yaml", diagnostics);
  input::ReadContext context{&diagnostics, "", std::nullopt};
  Calibration value;
  input::read_value(context, root, value);
  diagnostics.throw_if_any();
  return value;
}

}  // namespace

TEST_CASE("a calibration is written as people write it") {
  const std::string expected = "name: toy-fit\ndescription: \"\"\n" +
                               test::kToyCalibration.substr(test::kToyCalibration.find("date:"));
  std::string quoted = expected;
  for (const char* text : {"by pencil", "toy.csv", "a toy maker", "wire"}) {
    const std::size_t at = quoted.find(": " + std::string(text)) + 2;
    quoted.replace(at, std::string(text).size(), '"' + std::string(text) + '"');
  }
  CHECK(calibration_yaml(read_back(test::kToyCalibration)) == quoted);
}

TEST_CASE("a calibration that is written reads back equal, to the last bit of every number") {
  Calibration c = read_back(test::kToyCalibration);
  c.description = "two lines,\n\"quoted\": # and more";
  c.host.per_sequence = seconds(1.0 / 3.0 * 1e-4);
  c.host.per_request->high = seconds(2.0 / 3.0);
  c.host.per_step->date = "2026-04";
  catalog::CalibratedDevice& d = c.devices.at(0);
  d.engine = "main";
  d.experts = 1.0 / 3.0;
  d.experts->source = "another: toy maker";
  d.experts->confidence = input::Confidence::vendor;
  d.launch = seconds(0);
  d.compute["fp8"] = 0.1 + 0.2;
  d.errors.at(0).five_fold = {1.0 / 7.0, 1.0 / 3.0};
  catalog::CalibratedDevice bare;
  bare.device = "bare";
  bare.measurements = 1;
  c.devices.push_back(bare);
  name_sources(c);
  const Calibration back = read_back(calibration_yaml(c));
  CHECK(input::dump_json(back) == input::dump_json(c));
}

TEST_CASE("sources that reading fills in are not written") {
  Calibration c = read_back(test::kToyCalibration);
  CHECK(calibration_yaml(c).find("fitted to") == std::string::npos);
  c.devices.at(0).measurements = 13;  // the numbers still say 12
  CHECK(calibration_yaml(c).find("fitted to 12 measurements") != std::string::npos);
}

}  // namespace tokenyard::study
