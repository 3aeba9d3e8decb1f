#pragma once
// Number formats: effective bits as stored (scales and packing included) and the format that the
// arithmetic runs in, from workloads/formats.yaml.
#include <string>
#include <vector>

#include "catalog/device.hpp"

namespace tokenyard::catalog {

struct NumberFormat {
  std::string name;            // fp8
  Sourced<double> bits{16.0};  // effective, per value
  // Formats that a device may multiply in, best first: int4 weights run on bf16 units.
  std::vector<std::string> math;

  [[nodiscard]] double bytes() const { return bits.value / 8.0; }
};

struct FormatTable {
  std::string source;
  input::Confidence confidence = input::Confidence::vendor;
  std::vector<NumberFormat> formats;
};

void describe(input::Fields& f, NumberFormat& x);
void describe(input::Fields& f, FormatTable& x);

}  // namespace tokenyard::catalog
