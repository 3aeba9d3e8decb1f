#include "input/node.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <utility>

namespace tokenyard::input {
namespace {

constexpr std::size_t kLargestFile = std::size_t{16} << 20U;

// What an element of a list is called by: memory tiers have their name at `tier`.
const Node* name_of(const Node& element) {
  const Node* name = element.find("name");
  return name != nullptr ? name : element.find("tier");
}

// "a list element by its number or by its name": nullptr when there is none.
Node* list_element(Node& list, std::string_view name) {
  std::size_t index = 0;
  const auto [end, status] = std::from_chars(name.data(), name.data() + name.size(), index);
  if (status == std::errc() && end == name.data() + name.size()) {
    return index < list.items.size() ? &list.items[index] : nullptr;
  }
  for (Node& item : list.items) {
    const Node* item_name = name_of(item);
    if (item_name != nullptr && item_name->scalar == name) return &item;
  }
  return nullptr;
}

std::vector<std::string> element_names(const Node& list) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const Node* name = name_of(list.items[i]);
    names.push_back(name != nullptr ? name->scalar : std::to_string(i));
  }
  return names;
}

// One step of a path: a key, or an element of a list.
struct Step {
  std::string text;
  bool in_brackets = false;
};

// "a.b[c]" -> a, b, [c].  Empty when it is no path.
std::vector<Step> split_path(std::string_view path) {
  std::vector<Step> steps;
  std::string_view rest = path;
  while (!rest.empty()) {
    if (rest.front() == '[' && !steps.empty()) {
      const std::size_t close = rest.find(']');
      if (close == std::string_view::npos || close == 1) return {};
      steps.push_back({std::string(rest.substr(1, close - 1)), true});
      rest.remove_prefix(close + 1);
      if (!rest.empty() && rest.front() != '.' && rest.front() != '[') return {};
      continue;
    }
    if (!steps.empty()) rest.remove_prefix(1);  // the '.' that ended the step before
    const std::string_view key = rest.substr(0, rest.find_first_of(".["));
    if (key.empty() || key.find(']') != std::string_view::npos) return {};
    steps.push_back({std::string(key), false});
    rest.remove_prefix(key.size());
  }
  return steps;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

Node* Node::find(std::string_view key) {
  return const_cast<Node*>(std::as_const(*this).find(key));  // NOLINT: same search, not const
}

std::string Node::describe() const {
  switch (kind) {
    case Kind::null:
      return "nothing";
    case Kind::scalar:
      return quote_word(scalar);
    case Kind::sequence:
      return "a list";
    case Kind::map:
      return "a map";
  }
  return "";
}

std::string key_path(const std::string& parent, std::string_view key) {
  std::string word = quote_word(key);
  word = word.substr(1, word.size() - 2);
  return parent.empty() ? word : parent + '.' + word;
}

std::string element_path(const std::string& parent, std::size_t index) {
  return parent + '[' + std::to_string(index) + ']';
}

void set_paths(Node& node, const std::string& path) {
  node.path = path;
  for (std::size_t i = 0; i < node.items.size(); ++i)
    set_paths(node.items[i], element_path(path, i));
  for (Node::Entry& entry : node.entries) set_paths(entry.value, key_path(path, entry.key));
}

Node load_yaml(const std::string& path, Diagnostics& diagnostics) {
  const auto refuse = [&](const std::string& message) {
    diagnostics.add({.file = path, .line = 0, .column = 0, .source_line = {}}, "", message);
    return Node{};
  };
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found)
    return refuse("there is no such file");
  if (error) return refuse("cannot be read: " + error.message());
  if (!std::filesystem::is_regular_file(status)) return refuse("is not a regular file");
  std::ifstream file(path, std::ios::binary);
  if (!file) return refuse("cannot be read");
  std::string text;
  std::vector<char> piece(std::size_t{1} << 16U);
  while (file && text.size() <= kLargestFile) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    text.append(piece.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) return refuse("cannot be read");
  if (text.size() > kLargestFile) return refuse("is larger than 16 MiB");
  return parse_yaml(text, path, diagnostics);
}

std::string set_path(Node& root, std::string_view path, Node value) {
  const std::vector<Step> steps = split_path(path);
  if (steps.empty()) return quote_word(path) + " is not a path such as fleet.pools[main].count";
  Node changed = root;
  Node* at = &changed;
  std::string done;
  for (const Step& step : steps) {
    if (step.in_brackets) {
      // One deployment may be written without a list: deploy[0] is then deploy itself.
      if (!(at->kind == Node::Kind::map && step.text == "0")) {
        if (at->kind != Node::Kind::sequence)
          return "'" + done + "' is " + at->describe() + ", not a list";
        Node* element = list_element(*at, step.text);
        if (element == nullptr) {
          return "'" + done + "' has no element " + quote_word(step.text) +
                 suggestion(step.text, element_names(*at));
        }
        at = element;
      }
      done += '[' + step.text + ']';
      continue;
    }
    if (at->kind == Node::Kind::null) at->kind = Node::Kind::map;
    if (at->kind != Node::Kind::map) return "'" + done + "' is " + at->describe() + ", not a map";
    if (at->find(step.text) == nullptr) at->entries.push_back({step.text, value.place, Node{}});
    at = at->find(step.text);
    done = key_path(done, step.text);
  }
  *at = std::move(value);
  set_paths(*at, done);
  root = std::move(changed);
  return "";
}

}  // namespace tokenyard::input
