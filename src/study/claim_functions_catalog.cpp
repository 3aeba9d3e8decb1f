// Numbers of devices and nodes by their path, and the arithmetic of money.
#include "base/error.hpp"
#include "economics/finance.hpp"
#include "input/fields.hpp"
#include "study/claim_functions.hpp"

namespace tokenyard::study {
namespace {

using formula::FormulaError;
using formula::Value;

// How the elements of an entry's lists are called, by the list's key.
using ElementNames = std::vector<std::pair<std::string, std::vector<std::string>>>;

ElementNames element_names(const catalog::Device& device) {
  ElementNames names(3);
  names[0].first = "engines";
  for (const catalog::Engine& e : device.engines) names[0].second.push_back(e.name);
  names[1].first = "memory";
  for (const catalog::MemoryTier& t : device.memory) names[1].second.push_back(t.tier);
  names[2].first = "links";
  for (const catalog::Link& l : device.links) names[2].second.push_back(l.name);
  return names;
}

ElementNames element_names(const catalog::NodeSpec& node) {
  ElementNames names(1);
  names[0].first = "nics";
  for (const catalog::Nic& n : node.nics) names[0].second.push_back(n.name);
  return names;
}

// "memory[0].bandwidth" as it is written in a formula: "memory[hbm].bandwidth".
std::string named_path(const std::string& path, const ElementNames& lists) {
  for (const auto& [list, names] : lists) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string numbered = list + '[' + std::to_string(i) + ']';
      if (!path.starts_with(numbered)) continue;
      return list + '[' + names[i] + ']' + path.substr(numbered.size());
    }
  }
  return path;
}

template <class Entry>
Value number_at(const Entry& entry, const std::string& path) {
  const ElementNames lists = element_names(entry);
  std::vector<std::string> paths;
  for (const input::SourcedNumber& number : input::sourced_numbers(entry)) {
    paths.push_back(named_path(number.path, lists));
    if (paths.back() != path) continue;
    if (number.unknown) {
      throw formula::UnknownValue(entry.name + ' ' + path, "nobody has published it");
    }
    return {number.number, number.dim};
  }
  throw FormulaError("'" + entry.name + "' has no number " + quote_word(path) +
                     suggestion(path, paths));
}

Value device(const ClaimSetting& setting, const ClaimArguments& arguments) {
  return number_at(device_of(setting, arguments.text(0)), arguments.text(1));
}

Value node(const ClaimSetting& setting, const ClaimArguments& arguments) {
  return number_at(node_of(setting, arguments.text(0)), arguments.text(1));
}

Value format_bits(const ClaimSetting& setting, const ClaimArguments& arguments) {
  constexpr double kBitsPerByte = 8.0;
  return {bytes_of_format(setting, arguments.text(0)) * kBitsPerByte, kNone};
}

Value crf(const ClaimSetting&, const ClaimArguments& arguments) {
  if (arguments.number(0) < 0.0) throw FormulaError("'rate' is negative; expected 0 or more");
  return {economics::capital_recovery_factor(arguments.number(0), arguments.positive(1)), kNone};
}

}  // namespace

const std::vector<ClaimFunction>& catalog_functions() {
  static const std::vector<ClaimFunction> kFunctions{
      {"device", {{"name", true}, {"path", true}}, device},
      {"node", {{"name", true}, {"path", true}}, node},
      {"format_bits", {{"format", true}}, format_bits},
      {"crf", {{"rate"}, {"years"}}, crf},
  };
  return kFunctions;
}

}  // namespace tokenyard::study
