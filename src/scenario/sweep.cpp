#include "scenario/sweep.hpp"

#include <set>

namespace tokenyard::scenario {
namespace {

using input::Node;

constexpr std::size_t kMostVariants = 100'000;

// Keys that take their values in step: one key alone, or those of `zip`.
struct Axis {
  std::vector<const Node::Entry*> keys;
  std::size_t size = 0;
};

std::string shown(const Node& value) {
  switch (value.kind) {
    case Node::Kind::scalar:
      return value.scalar;
    case Node::Kind::null:
      return "null";
    case Node::Kind::sequence: {
      std::string text = "[";
      for (const Node& item : value.items) text += (text.size() > 1 ? ", " : "") + shown(item);
      return text + "]";
    }
    case Node::Kind::map: {
      std::string text = "{";
      for (const Node::Entry& e : value.entries)
        text += (text.size() > 1 ? ", " : "") + e.key + ": " + shown(e.value);
      return text + "}";
    }
  }
  return "";
}

bool is_value_list(const Node::Entry& entry, Diagnostics& diagnostics) {
  if (entry.value.kind == Node::Kind::sequence && !entry.value.items.empty()) return true;
  diagnostics.add(entry.value.place, entry.value.path,
                  "expected a list of at least one value, such as [1, 2, 4]");
  return false;
}

Axis zip_axis(const Node::Entry& zip, Diagnostics& diagnostics) {
  Axis axis;
  if (zip.value.kind != Node::Kind::map) {
    diagnostics.add(zip.value.place, zip.value.path, "expected a map of paths and lists of values");
    return axis;
  }
  for (const Node::Entry& entry : zip.value.entries) {
    if (!is_value_list(entry, diagnostics)) continue;
    if (axis.size == 0) axis.size = entry.value.items.size();
    if (entry.value.items.size() != axis.size) {
      diagnostics.add(entry.value.place, entry.value.path,
                      std::to_string(entry.value.items.size()) + " values beside lists of " +
                          std::to_string(axis.size) + "; lists in step have equal lengths");
    }
    axis.keys.push_back(&entry);
  }
  return axis;
}

std::vector<Axis> axes_of(const Node& sweep, Diagnostics& diagnostics) {
  std::vector<Axis> axes;
  if (sweep.kind != Node::Kind::map) {
    diagnostics.add(sweep.place, sweep.path, "expected a map of paths and lists of values");
    return axes;
  }
  std::size_t variants = 1;
  for (const Node::Entry& entry : sweep.entries) {
    Axis axis;
    if (entry.key == "zip") {
      axis = zip_axis(entry, diagnostics);
    } else if (is_value_list(entry, diagnostics)) {
      axis = {{&entry}, entry.value.items.size()};
    }
    if (axis.size == 0) continue;
    variants *= axis.size;
    axes.push_back(axis);
    if (variants > kMostVariants) {
      diagnostics.add(sweep.place, sweep.path,
                      "more than " + std::to_string(kMostVariants) + " variants");
      return {};
    }
  }
  return axes;
}

void refuse_twins(const std::vector<Axis>& axes, Diagnostics& diagnostics) {
  std::set<std::string> seen;
  for (const Axis& axis : axes) {
    for (const Node::Entry* key : axis.keys) {
      if (!seen.insert(key->key).second)
        diagnostics.add(key->place, key->value.path, "stands in the sweep twice");
    }
  }
}

}  // namespace

std::vector<Variant> expand_sweep(const Node& scenario, const Parameters& common,
                                  Diagnostics& diagnostics) {
  Node base = scenario;
  std::erase_if(base.entries, [](const Node::Entry& e) { return e.key == "sweep"; });
  const Node* sweep = scenario.find("sweep");
  if (sweep == nullptr || sweep->kind == Node::Kind::null) {
    input::set_paths(base, "");
    return {{std::move(base), common}};
  }
  const std::vector<Axis> axes = axes_of(*sweep, diagnostics);
  refuse_twins(axes, diagnostics);
  if (!diagnostics.empty()) return {};
  std::vector<Variant> variants;
  std::vector<std::size_t> at(axes.size(), 0);
  bool more = true;
  while (more) {
    Variant variant{base, common};
    for (std::size_t a = 0; a < axes.size(); ++a) {
      for (const Node::Entry* key : axes[a].keys) {
        const Node& value = key->value.items[at[a]];
        const std::string problem = input::set_path(variant.root, key->key, value);
        if (!problem.empty()) diagnostics.add(key->place, "sweep", problem);
        variant.parameters.emplace_back(key->key, shown(value));
      }
    }
    if (!diagnostics.empty()) return {};
    // Values are called as if they had been written in place: pools[0], not pools[main].
    input::set_paths(variant.root, "");
    variants.push_back(std::move(variant));
    more = false;
    for (std::size_t a = axes.size(); a > 0 && !more; --a) {
      more = ++at[a - 1] < axes[a - 1].size;
      if (!more) at[a - 1] = 0;
    }
  }
  return variants;
}

}  // namespace tokenyard::scenario
