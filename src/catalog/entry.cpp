#include "catalog/entry.hpp"

#include <algorithm>

namespace tokenyard::catalog {

bool is_plain_name(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  };
  return !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), plain);
}

void describe_head(input::Fields& f, std::string& name, std::string& source,
                   input::Confidence& confidence, std::string& description) {
  f.required("name", name, "how other files refer to this entry; the file is called the same");
  f.provenance(source, confidence);
  f.optional("description", description, "what it is and what the entry leaves out, for people");
  if (f.has("source") && source.empty()) {
    f.problem("source", "is empty; say where the numbers come from");
  }
}

void refuse_twins(input::Fields& f, std::string_view key, std::vector<std::string> names) {
  if (!f.is_reading()) return;
  std::sort(names.begin(), names.end());
  const auto twin = std::adjacent_find(names.begin(), names.end());
  if (twin != names.end()) f.problem(key, "two elements are called '" + *twin + "'");
}

}  // namespace tokenyard::catalog
