#include "catalog/overlay.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "catalog/entry.hpp"

namespace tokenyard::catalog {
namespace {

namespace fs = std::filesystem;
using input::Node;

constexpr int kDeepestOverlay = 8;  // longer chains are circles

Node scalar(const std::string& text, const Place& place) {
  Node node;
  node.kind = Node::Kind::scalar;
  node.scalar = text;
  node.place = place;
  return node;
}

// Numbers inside a change state the overlay's source unless they state their own.
Node with_provenance(const Node& value, const Node* source, const Node* confidence) {
  if (value.kind == Node::Kind::null) return value;
  Node changed = value;
  if (changed.kind == Node::Kind::scalar && changed.quoted) return changed;
  if (changed.kind == Node::Kind::scalar) {
    // A number without a unit may be a count, which has no source; whoever means more writes the
    // long form.
    const bool is_quantity =
        changed.scalar.find_first_of("0123456789") == 0 &&
        changed.scalar.find_first_not_of("0123456789.e+-") != std::string::npos;
    if (!is_quantity) return changed;
    Node long_form;
    long_form.kind = Node::Kind::map;
    long_form.place = value.place;
    long_form.entries.push_back({"value", value.place, value});
    changed = std::move(long_form);
  }
  if (changed.kind != Node::Kind::map || changed.find("value") == nullptr) return changed;
  const auto inherit = [&](const char* key, const Node* from) {
    if (from != nullptr && changed.find(key) == nullptr)
      changed.entries.push_back({key, value.place, *from});
  };
  inherit("source", source);
  inherit("confidence", confidence);
  return changed;
}

void refuse_other_keys(const Node& overlay, Diagnostics& diagnostics) {
  const std::vector<std::string> known = {"name",       "overlay_of",  "source",
                                          "confidence", "description", "changes"};
  for (const Node::Entry& entry : overlay.entries) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    diagnostics.add(entry.place, entry.value.path,
                    "unknown key '" + entry.key + "' of an overlay" + suggestion(entry.key, known) +
                        "; what it changes stands below 'changes'");
  }
}

void apply(Node& root, const std::string& path, int depth, Diagnostics& diagnostics) {
  const Node* parent_name = root.find("overlay_of");
  if (parent_name == nullptr) return;
  const Node overlay = root;
  refuse_other_keys(overlay, diagnostics);
  const fs::path file = fs::path(path).parent_path() / (parent_name->scalar + ".yaml");
  std::error_code error;
  const bool known = is_plain_name(parent_name->scalar) && fs::is_regular_file(file, error);
  if (!known || depth >= kDeepestOverlay) {
    diagnostics.add(parent_name->place, "overlay_of",
                    known ? "overlays stand on each other in a circle"
                          : "there is no entry '" + parent_name->scalar + "' beside this one");
    return;
  }
  Node merged = input::load_yaml(file.string(), diagnostics);
  apply(merged, file.string(), depth + 1, diagnostics);
  for (const char* key : {"name", "description"}) {
    const Node* own = overlay.find(key);
    if (own != nullptr) input::set_path(merged, key, *own);
  }
  const Node* changes = overlay.find("changes");
  if (changes == nullptr || changes->kind != Node::Kind::map) {
    diagnostics.add(overlay.place, "changes",
                    "an overlay needs 'changes', a map of paths and values");
    return;
  }
  for (const Node::Entry& change : changes->entries) {
    const std::string problem = input::set_path(
        merged, change.key,
        with_provenance(change.value, overlay.find("source"), overlay.find("confidence")));
    if (!problem.empty()) diagnostics.add(change.place, "changes", problem);
  }
  if (overlay.find("name") == nullptr) {
    input::set_path(merged, "name", scalar("", overlay.place));
  }
  root = std::move(merged);
  input::set_paths(root, "");
}

}  // namespace

void apply_overlay(Node& root, const std::string& path, Diagnostics& diagnostics) {
  apply(root, path, 0, diagnostics);
}

}  // namespace tokenyard::catalog
