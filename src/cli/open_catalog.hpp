#pragma once
// The catalog that a command works with, by its options.
#include "catalog/catalog.hpp"
#include "cli/command.hpp"

namespace tokenyard::cli {

Option unknowns_option();

// As --catalog and, where the command has it, --unknowns say.
catalog::Catalog open_catalog(const Arguments& arguments);

}  // namespace tokenyard::cli
