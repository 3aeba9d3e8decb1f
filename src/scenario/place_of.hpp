#pragma once
// Finds again what was written in a scenario, for checks that come after reading.
#include <string_view>

#include "input/node.hpp"

namespace tokenyard::scenario {

// The place of the value at `path` ("fleet.pools[0].node"); when it is not written but filled in,
// of the nearest map or list around it.  Contract: the tree's paths are those of `path`'s root.
Place place_of(const input::Node& root, std::string_view path);

// Whether something other than a scalar, or nothing, stands at `path`: reading it has said so.
bool is_no_scalar(const input::Node& root, std::string_view path);

}  // namespace tokenyard::scenario
