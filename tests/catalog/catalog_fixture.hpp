#pragma once
// Reading a description from text, and a catalog of its own in a temporary directory.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.hpp"
#include "catalog/catalog.hpp"
#include "input/fields.hpp"

namespace tokenyard::catalog {

inline std::string shown(const Diagnostics& diagnostics) {
  std::string text;
  for (const Diagnostic& d : diagnostics.list()) text += format_diagnostic(d) + '\n';
  return text;
}

// Everything that reading `yaml` as a T complains about.
template <class T>
std::string complaints(const std::string& yaml) {
  Diagnostics diagnostics;
  const input::Node root = input::parse_yaml(yaml, "t.yaml", diagnostics);
  input::ReadContext context{
      .diagnostics = &diagnostics, .default_source = {}, .default_confidence = {}};
  T value;
  input::read_value(context, root, value);
  return shown(diagnostics);
}

template <class T>
T read_or_die(const std::string& yaml) {
  Diagnostics diagnostics;
  const input::Node root = input::parse_yaml(yaml, "t.yaml", diagnostics);
  input::ReadContext context{
      .diagnostics = &diagnostics, .default_source = {}, .default_confidence = {}};
  T value;
  input::read_value(context, root, value);
  diagnostics.throw_if_any();
  return value;
}

class TemporaryCatalog {
 public:
  TemporaryCatalog() {
    static int count = 0;
    root_ = std::filesystem::temp_directory_path() /
            ("tokenyard-catalog-" + std::to_string(::getpid()) + '-' + std::to_string(++count));
    std::filesystem::create_directories(root_ / "hardware_catalog");
  }
  ~TemporaryCatalog() { std::filesystem::remove_all(root_); }
  TemporaryCatalog(const TemporaryCatalog&) = delete;
  TemporaryCatalog& operator=(const TemporaryCatalog&) = delete;

  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  [[nodiscard]] std::string root() const { return root_.string(); }

 private:
  std::filesystem::path root_;
};

// The toy device of the tests: 100 TFLOP/s, 1 TB/s, 16 GB, 100 W idle, 300 W, 1000 USD.
inline const std::string kToyDevice =
    "name: toy\n"
    "source: pencil\n"
    "confidence: assumed\n"
    "kind: gpu\n"
    "engines:\n"
    "  - {name: main, peak: {bf16: 100 TFLOP/s}}\n"
    "memory:\n"
    "  - {tier: hbm, capacity: 16 GB, bandwidth: 1 TB/s, holds: [weights, kv]}\n"
    "links:\n"
    "  - {name: wire, bandwidth: 100 GB/s}\n"
    "power: {idle: 100 W, tdp: 300 W}\n"
    "price: 1000 USD\n";

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  check(at != std::string::npos, "a test replaces text that is not there");
  return text.replace(at, from.size(), to);
}

}  // namespace tokenyard::catalog
