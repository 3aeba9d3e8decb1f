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

// What a change holds has the overlay's provenance, unless it states its own.
void stamp(Node& node, const std::string& source, const std::string& confidence) {
  node.source = source;
  node.confidence = confidence;
  for (Node& item : node.items) stamp(item, source, confidence);
  for (Node::Entry& entry : node.entries) stamp(entry.value, source, confidence);
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

// The overlay's own text at `key`; what is missing is said.
std::string own_text(const Node& overlay, const char* key, Diagnostics& diagnostics) {
  const Node* found = overlay.find(key);
  if (found != nullptr && found->kind == Node::Kind::scalar && !found->scalar.empty())
    return found->scalar;
  diagnostics.add(overlay.place, key, std::string("an overlay needs its own '") + key + "'");
  return "";
}

// False: the entry cannot be made, and why has been said.
bool apply(Node& root, const std::string& path, int depth, Diagnostics& diagnostics) {
  const Node* parent_name = root.find("overlay_of");
  if (parent_name == nullptr) return true;
  const Node overlay = root;
  refuse_other_keys(overlay, diagnostics);
  const fs::path file = fs::path(path).parent_path() / (parent_name->scalar + ".yaml");
  std::error_code error;
  const bool known = is_plain_name(parent_name->scalar) && fs::is_regular_file(file, error);
  if (!known || depth >= kDeepestOverlay) {
    diagnostics.add(parent_name->place, "overlay_of",
                    known ? "overlays stand on each other in a circle"
                          : "there is no entry '" + parent_name->scalar + "' beside this one");
    return false;
  }
  const std::string source = own_text(overlay, "source", diagnostics);
  const std::string confidence = own_text(overlay, "confidence", diagnostics);
  if (!confidence.empty() && !input::confidence_named(confidence)) {
    diagnostics.add(overlay.find("confidence")->place, "confidence",
                    "'" + confidence + "' is not known here" +
                        suggestion(confidence, input::names_of<input::Confidence>()));
  }
  Node merged = input::load_yaml(file.string(), diagnostics);
  if (!apply(merged, file.string(), depth + 1, diagnostics)) return false;
  for (const char* key : {"name", "description"}) {
    const Node* own = overlay.find(key);
    if (own != nullptr) input::set_path(merged, key, *own);
  }
  const Node* changes = overlay.find("changes");
  if (changes == nullptr || changes->kind != Node::Kind::map) {
    diagnostics.add(overlay.place, "changes",
                    "an overlay needs 'changes', a map of paths and values");
    return false;
  }
  for (const Node::Entry& change : changes->entries) {
    Node value = change.value;
    stamp(value, source, confidence);
    const std::string problem = input::set_path(merged, change.key, std::move(value));
    if (!problem.empty()) diagnostics.add(change.place, "changes", problem);
  }
  if (overlay.find("name") == nullptr) {
    input::set_path(merged, "name", scalar("", overlay.place));
  }
  root = std::move(merged);
  input::set_paths(root, "");
  return true;
}

}  // namespace

void apply_overlay(Node& root, const std::string& path, Diagnostics& diagnostics) {
  if (!apply(root, path, 0, diagnostics)) root = {};
}

}  // namespace tokenyard::catalog
