#pragma once
// What the files of the catalog have in common: their first keys, and lists whose elements have
// names.
#include <string>
#include <string_view>
#include <vector>

#include "input/fields.hpp"

namespace tokenyard::catalog {

// Letters, digits, '.', '-' and '_', not starting with a dot: such a name stays inside its folder.
bool is_plain_name(std::string_view name);

// Declares `name`, `source`, `confidence` and `description`, in this order, so that the numbers
// after them inherit source and confidence.
void describe_head(input::Fields& f, std::string& name, std::string& source,
                   input::Confidence& confidence, std::string& description);

// Reading only: reports a name that two elements of the list at `key` share.
void refuse_twins(input::Fields& f, std::string_view key, std::vector<std::string> names);

template <class T>
std::vector<std::string> names_in(const std::vector<T>& list, std::string T::*name) {
  std::vector<std::string> names;
  for (const T& element : list) names.push_back(element.*name);
  return names;
}

}  // namespace tokenyard::catalog
