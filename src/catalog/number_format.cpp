#include "catalog/number_format.hpp"

#include <algorithm>

#include "catalog/entry.hpp"

namespace tokenyard::catalog {

using input::Fields;

void describe(Fields& f, NumberFormat& x) {
  f.required("name", x.name, "how scenarios and devices refer to it");
  f.required("bits", x.bits, "effective bits per value as stored, scales and packing included")
      .more_than(0.0)
      .at_most(64.0);
  f.required("math", x.math, "formats a device may multiply it in, best first");
  if (f.has("math") && x.math.empty()) {
    f.problem("math",
              "is empty; values in a format are multiplied in some format, if only its own");
  }
}

void describe(Fields& f, FormatTable& x) {
  f.provenance(x.source, x.confidence);
  f.required("formats", x.formats, "all number formats");
  if (!f.is_reading()) return;
  const std::vector<std::string> names = names_in(x.formats, &NumberFormat::name);
  refuse_twins(f, "formats", names);
  for (const NumberFormat& format : x.formats) {
    for (const std::string& math : format.math) {
      if (std::find(names.begin(), names.end(), math) != names.end()) continue;
      f.problem("formats", format.name + " is multiplied in '" + math +
                               "', which is not in the list" + suggestion(math, names));
    }
  }
}

}  // namespace tokenyard::catalog
