#pragma once
// `tokenyard catalog compare MODEL [NODE...]`.
#include "catalog/catalog.hpp"
#include "cli/arguments.hpp"

namespace tokenyard::cli {

// The options that only this action of `catalog` takes.
std::vector<Option> compare_options();

// operands: MODEL, then the nodes.  Returns the exit code.
int compare_catalog(catalog::Catalog& catalog, const Arguments& arguments);

}  // namespace tokenyard::cli
