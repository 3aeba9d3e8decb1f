#include "workload/kind_rules.hpp"

namespace tokenyard::workload {

void check_kind_rules(input::Fields& f, std::string_view kind, unsigned bit,
                      std::span<const KindRule> rules) {
  const std::string quoted = "kind '" + std::string(kind) + "'";
  for (const KindRule& rule : rules) {
    const std::string key(rule.key);
    if ((rule.needed & bit) != 0 && !f.has(key)) {
      std::string message = quoted + " needs '" + key + "'";
      if (!rule.example.empty())
        message += ", such as '" + key + ": " + std::string(rule.example) + "'";
      f.problem("", std::move(message));
    }
    if ((rule.accepted & bit) == 0 && f.has(key)) {
      f.problem(key, "'" + key + "' has no effect with " + quoted);
    }
  }
}

}  // namespace tokenyard::workload
