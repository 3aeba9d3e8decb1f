#pragma once
// What the toy scenario is refused with when lines are added to it.
#include <doctest/doctest.h>

#include "support/toy_yard.hpp"

namespace tokenyard::scenario {

using test::kToyScenario;
using test::ToyYard;

// Ten good lines before, so what is appended starts on line 11.
inline std::string appended(const std::string& text) {
  const ToyYard yard;
  return yard.refusal(kToyScenario + text);
}

// The toy deployment with more keys, on line 11.
inline std::string deploying(const std::string& keys) {
  return appended("        " + keys + "\n");
}

// A message about column `column` of line 11.
inline std::string at_11(int column, const std::string& text, const std::string& message) {
  return "s.yaml:11:" + std::to_string(column) + ": error: " + message + "\n   11 | " + text +
         "\n      | " + std::string(static_cast<std::size_t>(column - 1), ' ') + "^";
}

// Line 11 is `text`; the caret stands under the only `at` in it.
inline void refused(const std::string& text, const std::string& at, const std::string& message) {
  CAPTURE(text);
  const auto column = static_cast<int>(text.find(at)) + 1;
  CHECK(appended(text + '\n') == at_11(column, text, message));
}

}  // namespace tokenyard::scenario
