#include "workload/kind_rules.hpp"

namespace tokenyard::workload {

void check_kind_rules(input::Fields& f, const std::string& named, unsigned bit,
                      std::span<const KindRule> rules) {
  for (const KindRule& rule : rules) {
    const std::string key(rule.key);
    if ((rule.needed & bit) != 0 && !f.has(key)) {
      std::string message = named + " needs '" + key + "'";
      if (!rule.example.empty())
        message += ", such as '" + key + ": " + std::string(rule.example) + "'";
      f.problem("", std::move(message));
    }
    if ((rule.accepted & bit) == 0 && f.has(key)) {
      f.problem(key, "'" + key + "' has no effect with " + named);
    }
  }
}

}  // namespace tokenyard::workload
