#pragma once
// The options of one command, parsed by cxxopts behind this header.
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tokenyard::cli {

struct Option {
  std::string name;   // "jobs"
  std::string value;  // what its value is called in help, "N"; empty: a flag
  std::string help;
  std::string fallback;  // value when not given; empty: none
};

class Arguments {
 public:
  // Throws InputError naming the nearest option for one that is not known, and for missing values.
  Arguments(const std::vector<Option>& options, int argc, const char* const* argv);

  [[nodiscard]] bool has(const std::string& option) const { return values_.contains(option); }
  // The value given last, or the fallback, or "".
  [[nodiscard]] std::string text(const std::string& option) const;
  // Every value given, in order.
  [[nodiscard]] std::vector<std::string> all(const std::string& option) const;
  // The same of values written PATH=VALUE.  Throws InputError for one that is not.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> pairs(
      const std::string& option) const;
  // Throws InputError unless it is a whole number of at least `least`.
  [[nodiscard]] std::int64_t integer(const std::string& option, std::int64_t least) const;
  [[nodiscard]] const std::vector<std::string>& operands() const { return operands_; }

 private:
  std::map<std::string, std::vector<std::string>> values_;
  std::map<std::string, std::string> fallbacks_;
  std::vector<std::string> operands_;
};

// The options as a help text, one a line.
std::string options_help(const std::vector<Option>& options);

}  // namespace tokenyard::cli
