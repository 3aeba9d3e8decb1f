#include "cli/arguments.hpp"

#include <algorithm>
#include <charconv>
#include <cxxopts.hpp>

#include "base/error.hpp"

namespace tokenyard::cli {
namespace {

std::vector<std::string> names_of(const std::vector<Option>& options) {
  std::vector<std::string> names;
  for (const Option& option : options) names.push_back("--" + option.name);
  return names;
}

}  // namespace

Arguments::Arguments(const std::vector<Option>& options, int argc, const char* const* argv) {
  cxxopts::Options parser("tokenyard");
  for (const Option& option : options) {
    if (option.value.empty()) {
      parser.add_options()(option.name, option.help);
    } else {
      // cxxopts would split a vector's values at commas, which sweeps and SQL contain: the values
      // are taken from the list of keys in order instead.
      parser.add_options()(option.name, option.help, cxxopts::value<std::string>());
    }
    fallbacks_[option.name] = option.fallback;
  }
  parser.allow_unrecognised_options();
  try {
    const cxxopts::ParseResult result = parser.parse(argc, argv);
    for (const cxxopts::KeyValue& given : result.arguments())
      values_[given.key()].push_back(given.value());
    for (const std::string& other : result.unmatched()) {
      if (other.size() > 1 && other.front() == '-') {
        throw InputError("unknown option '" + other + "'" +
                         suggestion(other.substr(0, other.find('=')), names_of(options)));
      }
      operands_.push_back(other);
    }
  } catch (const cxxopts::exceptions::exception& error) {
    throw InputError(error.what());
  }
}

std::string Arguments::text(const std::string& option) const {
  const auto given = values_.find(option);
  return given != values_.end() ? given->second.back() : fallbacks_.at(option);
}

std::vector<std::string> Arguments::all(const std::string& option) const {
  const auto given = values_.find(option);
  return given != values_.end() ? given->second : std::vector<std::string>{};
}

std::vector<std::pair<std::string, std::string>> Arguments::pairs(const std::string& option) const {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& given : all(option)) {
    const std::size_t equals = given.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw InputError("--" + option + ": '" + given +
                       "' is not of the form path=value, such as fleet.pools[main].count=2");
    }
    pairs.emplace_back(given.substr(0, equals), given.substr(equals + 1));
  }
  return pairs;
}

std::int64_t Arguments::integer(const std::string& option, std::int64_t least) const {
  const std::string value = text(option);
  std::int64_t number = 0;
  const auto [end, status] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (status != std::errc() || end != value.data() + value.size() || number < least) {
    throw InputError("--" + option + ": '" + value + "' is not a whole number of at least " +
                     std::to_string(least));
  }
  return number;
}

std::string options_help(const std::vector<Option>& options) {
  std::size_t width = 0;
  const auto shown = [](const Option& o) {
    return "--" + o.name + (o.value.empty() ? "" : ' ' + o.value);
  };
  for (const Option& option : options) width = std::max(width, shown(option).size());
  std::string text;
  for (const Option& option : options) {
    std::string left = shown(option);
    left.resize(width + 2, ' ');
    text += "  " + left + option.help;
    if (!option.fallback.empty()) text += " (default: " + option.fallback + ")";
    text += '\n';
  }
  return text;
}

}  // namespace tokenyard::cli
