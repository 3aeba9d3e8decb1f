#pragma once
// Entries written as another entry with changes, for what-if questions:
//
//   name: amd-strix-halo-ddr6
//   overlay_of: amd-strix-halo
//   source: ...
//   confidence: assumed
//   changes:
//     memory[lpddr].bandwidth: {value: 640 GB/s, low: 512 GB/s, high: 768 GB/s}
//     price: null
//
// Paths are those of `--set`.  Everything that is not changed is the parent's, its sources included;
// the changes inherit the overlay's own source and confidence, which it must have.  A parent may be
// an overlay itself.
#include <string>

#include "input/node.hpp"

namespace tokenyard::catalog {

// When `root`, the entry read from the file `path`, is an overlay, replaces it by the parent (from
// the same folder) with the changes made; by nothing when that cannot be.  Problems go to
// `diagnostics`.
void apply_overlay(input::Node& root, const std::string& path, Diagnostics& diagnostics);

}  // namespace tokenyard::catalog
