#include "study/claim_functions.hpp"

#include <array>
#include <cmath>

#include "base/error.hpp"
#include "base/quantity_text.hpp"

namespace tokenyard::study {
namespace {

using formula::FormulaError;
using formula::Scope;

const std::array<const std::vector<ClaimFunction>*, 3>& tables() {
  static const std::array<const std::vector<ClaimFunction>*, 3> kTables{
      &catalog_functions(), &model_functions(), &pool_functions()};
  return kTables;
}

// "weight_read(model, format, tokens)"
std::string signature(const ClaimFunction& function) {
  std::string text(function.name);
  for (std::size_t i = 0; i < function.parameters.size(); ++i) {
    text += i == 0 ? "(" : ", ";
    text += function.parameters[i].name;
  }
  return text + ')';
}

void check_arguments(const ClaimFunction& function, const std::vector<Scope::Argument>& arguments) {
  const std::size_t wanted = function.parameters.size();
  if (arguments.size() != wanted) {
    throw FormulaError(
        "'" + std::string(function.name) + "' has " + std::to_string(arguments.size()) +
        (arguments.size() == 1 ? " argument" : " arguments") + "; expected " + signature(function));
  }
  for (std::size_t i = 0; i < wanted; ++i) {
    const ClaimParameter& parameter = function.parameters[i];
    const auto refuse = [&](const std::string& found, const std::string& expected) {
      throw FormulaError("'" + std::string(parameter.name) + "' of " + signature(function) +
                         " is " + found + "; expected " + expected);
    };
    if (parameter.is_text) {
      if (!arguments[i].text) refuse("a value", "a name in double quotes");
    } else if (arguments[i].text) {
      refuse("the text " + quote_word(*arguments[i].text), name_dim(parameter.dim));
    } else if (!(arguments[i].value.dim == parameter.dim)) {
      refuse(name_dim(arguments[i].value.dim), describe_dim(parameter.dim));
    }
  }
}

// The entry, once it is known that there should be one of that name.
template <class T>
const T& entry_of(const ClaimSetting& setting, catalog::EntryKind kind,
                  const T* (catalog::Catalog::*load)(const std::string&, Diagnostics&),
                  const std::string& name) {
  const std::string kind_name(input::name_of(kind));
  if (!setting.catalog.exists(kind, name)) {
    throw FormulaError("no " + kind_name + ' ' + quote_word(name) + " in the catalog" +
                       suggestion(name, setting.catalog.names(kind)));
  }
  const T* entry = (setting.catalog.*load)(name, setting.diagnostics);
  if (entry == nullptr) throw FormulaError(kind_name + " '" + name + "' has errors of its own");
  return *entry;
}

}  // namespace

double ClaimArguments::positive(std::size_t i) const {
  if (number(i) > 0.0) return number(i);
  throw FormulaError("'" + std::string(parameters_[i].name) + "' is " +
                     formula::to_text(arguments_[i].value) + "; expected more than 0");
}

std::int64_t ClaimArguments::count(std::size_t i, std::int64_t least, std::int64_t most) const {
  const double value = number(i);
  if (value == std::trunc(value) && value >= static_cast<double>(least) &&
      value <= static_cast<double>(most)) {
    return static_cast<std::int64_t>(value);
  }
  throw FormulaError("'" + std::string(parameters_[i].name) + "' is " + three_digits(value) +
                     "; expected a whole number from " + std::to_string(least) + " to " +
                     std::to_string(most));
}

std::vector<std::string> claim_function_names() {
  std::vector<std::string> names;
  for (const std::vector<ClaimFunction>* table : tables()) {
    for (const ClaimFunction& function : *table) names.emplace_back(function.name);
  }
  return names;
}

formula::Value call_claim_function(const ClaimSetting& setting, const std::string& name,
                                   const std::vector<Scope::Argument>& arguments) {
  for (const std::vector<ClaimFunction>* table : tables()) {
    for (const ClaimFunction& function : *table) {
      if (function.name != name) continue;
      check_arguments(function, arguments);
      return function.call(setting, ClaimArguments(function.parameters, arguments));
    }
  }
  throw InternalError("a function that is in no table was called");
}

const catalog::Device& device_of(const ClaimSetting& setting, const std::string& name) {
  return entry_of(setting, catalog::EntryKind::device, &catalog::Catalog::device, name);
}

const catalog::NodeSpec& node_of(const ClaimSetting& setting, const std::string& name) {
  return entry_of(setting, catalog::EntryKind::node, &catalog::Catalog::node, name);
}

const catalog::Model& model_of(const ClaimSetting& setting, const std::string& name) {
  return entry_of(setting, catalog::EntryKind::model, &catalog::Catalog::model, name);
}

double bytes_of_format(const ClaimSetting& setting, const std::string& name) {
  const catalog::NumberFormat* format = setting.catalog.format(name, setting.diagnostics);
  if (format != nullptr) return format->bytes();
  throw FormulaError("no number format " + quote_word(name) +
                     suggestion(name, setting.catalog.format_names(setting.diagnostics)));
}

}  // namespace tokenyard::study
