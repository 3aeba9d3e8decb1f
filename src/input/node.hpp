#pragma once
// A YAML file as a tree in which every value knows where it was written.
//
// load_yaml refuses, with file, line and column: duplicate keys, keys that are not plain text,
// tags, invalid UTF-8, control characters, a second document, documents that nest deeper than 32
// levels or hold more than 200,000 values, aliases that stand inside themselves or repeat more than
// 50,000 values, files over 16 MiB and anything but regular files.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace tokenyard::input {

struct Node {
  enum class Kind { null, scalar, sequence, map };

  struct Entry;

  Kind kind = Kind::null;
  std::string scalar;   // as written, quotes removed
  bool quoted = false;  // '1' and "1" are text even where 1 would be a number
  std::vector<Node> items;
  std::vector<Entry> entries;
  Place place;
  std::string path;  // "fleet.pools[0].count"
  // Of numbers below that do not name their own, where these are not those of the file.
  std::string source, confidence;

  [[nodiscard]] const Node* find(std::string_view key) const;
  [[nodiscard]] Node* find(std::string_view key);
  [[nodiscard]] std::string describe() const;  // "'abc'", "a list", "a map", "nothing"
};

struct Node::Entry {
  std::string key;
  Place place;  // of the key
  Node value;
};

// Reads one file.  Problems go to `diagnostics`; what could be read is returned all the same, so
// that the reader of the tree can add its own.  Of a file that is no YAML at all that is a null
// without a place; reading it adds nothing to what `diagnostics` has already.
Node load_yaml(const std::string& path, Diagnostics& diagnostics);
// The same for text that is not a file ("--set count=2"); `name` stands for the file's name.
Node parse_yaml(const std::string& text, const std::string& name, Diagnostics& diagnostics);

// Replaces or adds the value at a path such as "fleet.pools[main].count" or "fleet.pools[0].count":
// a list element is named by its number or by its `name` (`tier` for memory tiers).  Missing maps on
// the way are created.  Returns "", or what is wrong, and then the tree is as it was.
std::string set_path(Node& root, std::string_view path, Node value);

// How a value is called in messages: "fleet.pools", "fleet.pools[0]"; and calling a whole tree so.
std::string key_path(const std::string& parent, std::string_view key);
std::string element_path(const std::string& parent, std::size_t index);
void set_paths(Node& node, const std::string& path);

}  // namespace tokenyard::input
