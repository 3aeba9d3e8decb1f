#include <doctest/doctest.h>

#include "catalog/catalog.hpp"
#include "catalog_fixture.hpp"
#include "support/toy_calibration.hpp"

namespace tokenyard::catalog {
namespace {

using test::kToyCalibration;
using test::kToyCalibrationPath;

Calibration toy_fit() {
  return read_or_die<Calibration>(kToyCalibration);
}

std::string spoilt(const std::string& from, const std::string& to) {
  return complaints<Calibration>(replaced(kToyCalibration, from, to));
}

void write_toy(const TemporaryCatalog& files, const std::string& calibration = kToyCalibration) {
  files.write("hardware_catalog/devices/toy.yaml", kToyDevice);
  files.write("workloads/models/toy-4b.yaml", "");
  files.write(kToyCalibrationPath, calibration);
}

std::vector<std::string> found_wrong(const std::string& calibration) {
  const TemporaryCatalog files;
  write_toy(files, calibration);
  Catalog catalog(files.root());
  Diagnostics diagnostics;
  const Calibration* c = catalog.calibration("toy-fit", diagnostics);
  diagnostics.throw_if_any();
  std::vector<std::string> messages;
  for (const Finding& finding : check_calibration(*c, catalog, diagnostics)) {
    CHECK(finding.error);
    messages.push_back(finding.message);
  }
  diagnostics.throw_if_any();
  return messages;
}

}  // namespace

TEST_CASE("a calibration's numbers are measured; their source counts what they were fitted to") {
  const Calibration c = toy_fit();
  REQUIRE(c.devices.size() == 1);
  const CalibratedDevice& d = c.devices[0];
  CHECK(d.bandwidth->value == 0.75);
  CHECK(d.bandwidth->confidence == input::Confidence::measured);
  CHECK(d.bandwidth->source == "fitted to 12 measurements, see data");
  CHECK(d.compute.at("bf16").source == "fitted to 12 measurements, see data");
  CHECK(d.compute.at("bf16").low == 0.4);
  CHECK(c.host.per_step->source == "fitted to 30 measurements, see data");
  CHECK_FALSE(c.host.per_sequence);
  CHECK(c.source() == "a toy maker");
  CHECK(c.find("toy") == &d);
  CHECK(c.find("toy-2") == nullptr);
}

TEST_CASE("a number that names its own source keeps it") {
  const auto c = read_or_die<Calibration>(
      replaced(kToyCalibration, "experts: 0.25",
               "experts: {value: 0.25, source: another toy maker, confidence: vendor}"));
  CHECK(c.devices[0].experts->source == "another toy maker");
  CHECK(c.devices[0].experts->confidence == input::Confidence::vendor);
}

TEST_CASE("what to expect: of models left out, else of fifths left out, else of the fit") {
  CalibrationError e{.metric = "tpot_mean_s",
                     .measurements = 1,
                     .uncalibrated = {0.4, 0.4},
                     .fitted = {0.1, 0.1},
                     .five_fold = {},
                     .leave_one_model_out = {}};
  CHECK(e.expected().median == 0.1);
  e.five_fold = {0.2, 0.2};
  CHECK(e.expected().median == 0.2);
  e.leave_one_model_out = {0.3, 0.3};
  CHECK(e.expected().median == 0.3);
}

TEST_CASE("eight numbers may be fitted to a device, nine may not") {
  CHECK(toy_fit().devices[0].fitted() == 7);
  const std::string fp8 = "      fp8: 0.4\n";
  const auto eight =
      read_or_die<Calibration>(replaced(kToyCalibration, "    experts", fp8 + "    experts"));
  CHECK(eight.devices[0].fitted() == 8);
  CHECK(spoilt("    experts", fp8 + "      fp4: 0.3\n    experts") ==
        "t.yaml:19:5: error: devices[0]: 9 numbers are fitted to one device; at most 8\n"
        "   19 |   - device: toy\n"
        "      |     ^\n");
}

TEST_CASE("what cannot be in a calibration is said where it stands") {
  CHECK(spoilt("2026-11-23", "November") ==
        "t.yaml:2:7: error: date: 'November' is no date; expected year, month and day, "
        "'2026-11-23'\n"
        "    2 | date: November\n"
        "      |       ^\n");
  CHECK(spoilt("\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"", "abc") ==
        "t.yaml:6:13: error: data[0].sha256: 'abc' is no SHA-256; expected 64 of 0-9 and a-f\n"
        "    6 |     sha256: abc\n"
        "      |             ^\n");
  CHECK(spoilt("name: toy-fit", "name: auto") ==
        "t.yaml:1:7: error: name: 'auto' has another meaning in scenarios\n"
        "    1 | name: auto\n"
        "      |       ^\n");
  CHECK(spoilt("value: 0.5, low: 0.4, high: 0.6", "value: 1.5") ==
        "t.yaml:24:7: error: devices[0].compute: bf16 is 1.50; expected more than 0 and at most 1\n"
        "   24 |       bf16: {value: 1.5}\n"
        "      |       ^\n");
  CHECK(spoilt("    link: wire\n", "") ==
        "t.yaml:19:5: error: devices[0]: key 'link' is missing; it says which link the numbers of "
        "collectives are of\n"
        "   19 |   - device: toy\n"
        "      |     ^\n");
  CHECK(spoilt("{median: 5 %, p90: 10 %}", "{median: 5 %, p90: 4 %}") ==
        "t.yaml:13:32: error: errors[0].fitted.p90: is less than the median\n"
        "   13 |     fitted: {median: 5 %, p90: 4 %}\n"
        "      |                                ^\n");
}

TEST_CASE("a device stands in a calibration once") {
  const std::string again = "  - {device: toy, measurements: 1}\n";
  CHECK(complaints<Calibration>(kToyCalibration + again) ==
        "t.yaml:19:3: error: devices: two elements are called 'toy'\n"
        "   19 |   - device: toy\n"
        "      |   ^\n");
}

TEST_CASE("a catalog without a folder of calibrations has none") {
  const TemporaryCatalog files;
  Catalog catalog(files.root());
  Diagnostics diagnostics;
  CHECK(catalog.calibrations(diagnostics).empty());
  CHECK(catalog.calibration("toy-fit", diagnostics) == nullptr);
  CHECK(diagnostics.empty());
}

TEST_CASE("calibrations come newest first: by date, then by name") {
  const TemporaryCatalog files;
  const auto write = [&](const std::string& name, const std::string& date) {
    files.write("hardware_catalog/calibrations/" + name + ".yaml",
                replaced(replaced(kToyCalibration, "toy-fit", name), "2026-11-23", date));
  };
  write("b", "2026-01-02");
  write("a", "2026-02-01");
  write("c", "2026-01-02");
  Catalog catalog(files.root());
  Diagnostics diagnostics;
  std::vector<std::string> names;
  for (const Calibration* c : catalog.calibrations(diagnostics)) names.push_back(c->name);
  CHECK(names == std::vector<std::string>{"a", "c", "b"});
}

TEST_CASE("a number format that does not exist is refused in a calibration as in a device") {
  const TemporaryCatalog files;
  write_toy(files, replaced(kToyCalibration, "bf16:", "bf61:"));
  files.write("workloads/formats.yaml",
              "source: pencil\nconfidence: assumed\nformats:\n"
              "  - {name: bf16, bits: 16, math: [bf16]}\n");
  Catalog catalog(files.root());
  Diagnostics diagnostics;
  CHECK(catalog.calibration("toy-fit", diagnostics) == nullptr);
  REQUIRE(diagnostics.list().size() == 1);
  CHECK(diagnostics.list()[0].message ==
        "no number format 'bf61' in workloads/formats.yaml; did you mean 'bf16'?");
}

TEST_CASE("what a calibration names must be there: device, model, engine, link, peaks") {
  using Messages = std::vector<std::string>;
  CHECK(found_wrong(kToyCalibration).empty());
  CHECK(found_wrong(replaced(kToyCalibration, "device: toy", "device: toi")) ==
        Messages{"no device 'toi' in the catalog; did you mean 'toy'?"});
  CHECK(found_wrong(replaced(kToyCalibration, "[toy-4b]", "[toy-5b]")) ==
        Messages{"toy: no model 'toy-5b' in the catalog; did you mean 'toy-4b'?"});
  CHECK(found_wrong(
            replaced(kToyCalibration, "    link: wire\n", "    link: wires\n    engine: mian\n")) ==
        Messages{"toy has no engine 'mian'; did you mean 'main'?"});
  CHECK(found_wrong(
            replaced(replaced(kToyCalibration, "link: wire", "link: wires"), "bf16:", "fp8:")) ==
        Messages{"engine main of toy has no peak for 'fp8'; accepted: bf16",
                 "toy has no link 'wires'; did you mean 'wire'?"});
}

}  // namespace tokenyard::catalog
