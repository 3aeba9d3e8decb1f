#pragma once
// One page of HTML that needs nothing else: tables and pictures under headings.
#include <string>
#include <string_view>
#include <vector>

#include "base/table.hpp"

namespace tokenyard::report {

// Text as it must be written between tags and in quoted attributes; control characters as '?'.
std::string html_text(std::string_view text);

// A table under its caption; numbers to the right with three significant digits.
std::string html_table(const Table& table, const std::string& caption);

struct HtmlSection {
  std::string heading;
  std::vector<std::string> parts;  // HTML
};
std::string html_page(const std::string& title, const std::string& introduction,
                      const std::vector<HtmlSection>& sections);

}  // namespace tokenyard::report
