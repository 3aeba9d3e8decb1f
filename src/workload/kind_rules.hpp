#pragma once
// Which keys a `kind` needs and which it accepts: one table instead of an if for every pair.
#include <span>
#include <string>
#include <string_view>

#include "input/fields.hpp"

namespace tokenyard::workload {

struct KindRule {
  std::string_view key;
  unsigned needed = 0;    // bit per kind
  unsigned accepted = 0;  // bit per kind, those that need it included
  std::string_view example;
};

template <class Kind>
constexpr unsigned kind_bit(Kind kind) {
  return 1U << static_cast<unsigned>(kind);
}

// How a message calls it.
template <class Kind>
std::string named_kind(Kind kind) {
  return "kind '" + std::string(input::name_of(kind)) + "'";
}

// False when `kind` is missing or misspelt: what depends on it must not be complained about.
template <class Kind>
bool kind_was_read(const input::Fields& f, Kind kind) {
  const input::Node* node = f.is_reading() ? f.node().find("kind") : nullptr;
  return node != nullptr && node->scalar == input::name_of(kind);
}

// Reports needed keys that are missing, and keys that have no effect with this kind, which the message
// calls `named`, such as "kind 'gamma'".  Reading only.
void check_kind_rules(input::Fields& f, const std::string& named, unsigned bit,
                      std::span<const KindRule> rules);

}  // namespace tokenyard::workload
