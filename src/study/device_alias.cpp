#include "study/device_alias.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace tokenyard::study {
namespace {

using catalog::EntryKind;

bool goes_on_after(const std::string& name, const std::string& alias) {
  if (name.size() <= alias.size() || name.compare(0, alias.size(), alias) != 0) return false;
  const char next = name[alias.size()];
  return next == '-' || std::isdigit(static_cast<unsigned char>(next)) != 0;
}

bool is_overlay(const std::string& device, const catalog::Catalog& catalog) {
  Diagnostics of_its_file;  // reported where the device is used
  const std::string path = catalog.path_of(EntryKind::device, device);
  return input::load_yaml(path, of_its_file).find("overlay_of") != nullptr;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

CatalogName device_called(const std::string& alias, const catalog::Catalog& catalog) {
  const std::vector<std::string> names = catalog.names(EntryKind::device);
  if (std::find(names.begin(), names.end(), alias) != names.end()) return {alias, ""};
  std::vector<std::string> real, what_ifs;
  if (!alias.empty()) {
    for (const std::string& name : names) {
      if (!goes_on_after(name, alias)) continue;
      (is_overlay(name, catalog) ? what_ifs : real).push_back(name);
    }
  }
  const std::vector<std::string>& found = real.empty() ? what_ifs : real;
  if (found.size() == 1) return {found.front(), ""};
  if (found.empty()) {
    return {"", "no device " + quote_word(alias) + " in the catalog" + suggestion(alias, names)};
  }
  return {"", quote_word(alias) + " may be any of " + listed(found)};
}

CatalogName node_with(const std::string& device, std::int64_t devices, catalog::Catalog& catalog,
                      Diagnostics& diagnostics) {
  std::string smallest, largest;
  std::int64_t smallest_count = 0, largest_count = 0;
  for (const std::string& name : catalog.names(EntryKind::node)) {
    const catalog::NodeSpec* node = catalog.node(name, diagnostics);
    if (node == nullptr || node->devices.size() != 1 || node->devices.front().device != device)
      continue;
    const std::int64_t count = node->device_count();
    if (count >= devices && (smallest.empty() || count < smallest_count)) {
      smallest = name;
      smallest_count = count;
    }
    if (count > largest_count) {
      largest = name;
      largest_count = count;
    }
  }
  if (!smallest.empty()) return {smallest, ""};
  if (largest.empty()) return {"", "no node of the catalog holds " + quote_word(device) + " alone"};
  return {"", "no node of the catalog has " + std::to_string(devices) + " of '" + device +
                  "'; the largest, " + largest + ", has " + std::to_string(largest_count)};
}

std::string entry_or_first(const catalog::Catalog& catalog, EntryKind kind,
                           const std::string& preferred) {
  const std::vector<std::string> names = catalog.names(kind);
  return names.empty() || catalog.exists(kind, preferred) ? preferred : names.front();
}

}  // namespace tokenyard::study
