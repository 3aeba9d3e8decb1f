#pragma once
// Which of a device's links leads to its host.
#include <algorithm>

#include "catalog/device.hpp"

namespace tokenyard::catalog {

// The one whose name starts with "pcie"; nullptr when there is none.
inline const Link* host_link(const Device& device) {
  const auto found = std::find_if(device.links.begin(), device.links.end(),
                                  [](const Link& link) { return link.name.starts_with("pcie"); });
  return found != device.links.end() ? &*found : nullptr;
}

}  // namespace tokenyard::catalog
