#pragma once
// The catalog's entries behind the names that measurements call machines by.
//
// "nvidia-h100-sxm" is nvidia-h100-sxm5-80gb: the catalog's device with that name, or the one whose
// name goes on after it with a '-' or a digit.  A what-if of a device (an overlay) is meant only when
// no real one is.  A device is measured in the smallest node that is full of it and has enough:
// dgx-h100 for eight of those.
#include <cstdint>
#include <string>

#include "catalog/catalog.hpp"

namespace tokenyard::study {

struct CatalogName {
  std::string name;     // empty: ...
  std::string problem;  // ... why there is none
};

CatalogName device_called(const std::string& alias, const catalog::Catalog& catalog);

// Errors in node files go to `diagnostics`.
CatalogName node_with(const std::string& device, std::int64_t devices, catalog::Catalog& catalog,
                      Diagnostics& diagnostics);

// The preferred entry of a kind, or the catalog's first: a catalog of one's own need not have it.
std::string entry_or_first(const catalog::Catalog& catalog, catalog::EntryKind kind,
                           const std::string& preferred);

}  // namespace tokenyard::study
