#pragma once
// A table as JSON, for render().
#include <string>

#include "base/table.hpp"

namespace tokenyard::report {

std::string json_table(const Table& table);

}  // namespace tokenyard::report
