#include "cli/open_catalog.hpp"

#include <algorithm>

namespace tokenyard::cli {

Option unknowns_option() {
  return {"unknowns", "END",
          "what numbers nobody has published stand for: low, middle or high of their band",
          "middle"};
}

catalog::Catalog open_catalog(const Arguments& arguments) {
  input::BandEnd unknowns = input::BandEnd::middle;
  if (const std::string end = arguments.text("unknowns"); !end.empty()) {
    const std::vector<std::string> names = input::names_of<input::BandEnd>();
    const auto found = std::find(names.begin(), names.end(), end);
    if (found == names.end())
      throw InputError("--unknowns: '" + end + "' is no end of a band" + suggestion(end, names));
    unknowns = static_cast<input::BandEnd>(found - names.begin());
  }
  return catalog::Catalog(catalog::find_catalog_root(arguments.text("catalog")), unknowns);
}

}  // namespace tokenyard::cli
