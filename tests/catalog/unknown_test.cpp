// Numbers that nobody has published.
#include <doctest/doctest.h>

#include "catalog_fixture.hpp"

namespace tokenyard::catalog {
namespace {

std::string device_with(const std::string& capacity) {
  return "name: d\nsource: s\nconfidence: vendor\nkind: asic\n"
         "engines: [{name: main, peak: {bf16: 100 TFLOP/s}}]\n"
         "memory:\n  - {tier: sram, capacity: " +
         capacity +
         ", bandwidth: 3 TB/s, holds: [weights, kv]}\n"
         "power: {idle: 70 W, tdp: 700 W}\n";
}
const std::string kUnknown = "{value: unknown, low: 100 MB, high: 400 MB, source: nobody says}";

Bytes capacity_at(input::BandEnd end) {
  TemporaryCatalog files;
  files.write("hardware_catalog/devices/d.yaml", device_with(kUnknown));
  Catalog catalog(files.root(), end);
  Diagnostics diagnostics;
  const Device* device = catalog.device("d", diagnostics);
  REQUIRE_MESSAGE(device != nullptr, shown(diagnostics));
  CHECK(device->memory[0].capacity.unknown);
  return device->memory[0].capacity.value;
}

TEST_CASE("an unknown number is the geometric middle of its band, or an end when asked") {
  CHECK(capacity_at(input::BandEnd::middle).base() == doctest::Approx(200e6).epsilon(1e-12));
  CHECK(capacity_at(input::BandEnd::low).base() == 100e6);
  CHECK(capacity_at(input::BandEnd::high).base() == 400e6);
}

TEST_CASE("a band from zero has its arithmetic middle") {
  CHECK(input::in_band(0.0, 3.0, input::BandEnd::middle) == 1.5);
}

TEST_CASE("an unknown number without a band is refused") {
  const std::string message = complaints<Device>(device_with("{value: unknown, low: 100 MB}"));
  CHECK_MESSAGE(message.find("an unknown number needs its band") != std::string::npos, message);
}

TEST_CASE("lists of an entry's numbers name the unknown ones with their band") {
  const auto device = read_or_die<Device>(device_with(kUnknown));
  int unknown = 0;
  for (const input::SourcedNumber& number : input::sourced_numbers(device)) {
    if (!number.unknown) continue;
    ++unknown;
    CHECK(number.path == "memory[0].capacity");
    CHECK(number.band == "100 MB to 400 MB");
    CHECK(number.number == doctest::Approx(200e6));
  }
  CHECK(unknown == 1);
}

}  // namespace
}  // namespace tokenyard::catalog
