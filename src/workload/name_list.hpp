#pragma once
// Position of a name in a list that grows as names come, unless the first line fixed it.
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"
#include "workload/trace_stream.hpp"

namespace tokenyard::workload {

class NameList {
 public:
  void fix(const std::vector<std::string>& names) {
    start(names);
    fixed_ = true;
  }
  void start(const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < names.size(); ++i)
      index_.emplace(names[i], static_cast<std::int32_t>(i));
  }

  // Throws BadLine for a name that a fixed list does not hold.
  std::int32_t find(const std::string& name, std::string_view key,
                    std::vector<std::string>& names) {
    const auto known = index_.find(name);
    if (known != index_.end()) return known->second;
    if (fixed_) {
      throw BadLine{.key = std::string(key),
                    .message = "'" + name + "' is not listed in the file's first line" +
                               suggestion(name, names)};
    }
    const auto index = static_cast<std::int32_t>(names.size());
    index_.emplace(name, index);
    names.push_back(name);
    return index;
  }

 private:
  std::unordered_map<std::string, std::int32_t> index_;
  bool fixed_ = false;
};

}  // namespace tokenyard::workload
