#include "scenario/place_of.hpp"

namespace tokenyard::scenario {
namespace {

// Whether `path` is that of the node or leads through it.
bool leads_through(std::string_view path, const input::Node& node) {
  if (!path.starts_with(node.path)) return false;
  const std::string_view rest = path.substr(node.path.size());
  return rest.empty() || rest.front() == '.' || rest.front() == '[';
}

const input::Node* next_on(const input::Node& node, std::string_view path) {
  for (const input::Node& item : node.items) {
    if (leads_through(path, item)) return &item;
  }
  for (const input::Node::Entry& entry : node.entries) {
    if (leads_through(path, entry.value)) return &entry.value;
  }
  return nullptr;
}

const input::Node& nearest(const input::Node& root, std::string_view path) {
  const input::Node* at = &root;
  while (const input::Node* next = next_on(*at, path)) at = next;
  return *at;
}

}  // namespace

Place place_of(const input::Node& root, std::string_view path) {
  return nearest(root, path).place;
}

bool is_no_scalar(const input::Node& root, std::string_view path) {
  const input::Node& node = nearest(root, path);
  return node.path != path || node.kind != input::Node::Kind::scalar;
}

}  // namespace tokenyard::scenario
