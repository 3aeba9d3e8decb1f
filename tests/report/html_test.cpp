#include "report/html.hpp"

#include <doctest/doctest.h>

using namespace tokenyard;

TEST_CASE("text cannot become markup, nor end an attribute") {
  CHECK(report::html_text("<b a=\"x\" c='y'> & \x01") ==
        "&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt; &amp; ?");
}

TEST_CASE("numbers stand to the right with three digits, under a caption") {
  CHECK(report::html_table({{"what", "value"}, {{"a<b", 1.23456}, {"c", Cell{}}}}, "all & each") ==
        "<div class=\"scroll\"><table><caption>all &amp; each</caption>\n"
        "<thead><tr><th scope=\"col\">what</th><th scope=\"col\" class=\"number\">value</th></tr>"
        "</thead>\n<tbody>\n"
        "<tr><td>a&lt;b</td><td class=\"number\">1.23</td></tr>\n"
        "<tr><td>c</td><td class=\"number\"></td></tr>\n"
        "</tbody></table></div>\n");
}

TEST_CASE("a page needs nothing from elsewhere") {
  const std::string page = report::html_page("T", "words", {{"H", {"<p>x</p>"}}});
  CHECK(page.find("<!DOCTYPE html>\n<html lang=\"en\">") == 0);
  CHECK(page.find("<h2>H</h2>\n<p>x</p></section>") != std::string::npos);
  for (const char* outside : {"http:", "https:", "src=", "<script", "<link", "@import"})
    CHECK(page.find(outside) == std::string::npos);
}
