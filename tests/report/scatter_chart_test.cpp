#include "report/scatter_chart.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace {

using tokenyard::report::scatter_svg;
using tokenyard::report::ScatterChart;

std::string plain(double value) {
  return std::to_string(std::lround(value));
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

}  // namespace

TEST_CASE("a chart without a point that has two positive numbers is no chart") {
  ScatterChart chart{.title = "t", .text_of = plain, .points = {}};
  CHECK(scatter_svg(chart).empty());
  chart.points = {{"s", 0.0, 1.0, ""}, {"s", 1.0, -1.0, ""}, {"s", 1.0, INFINITY, ""}};
  CHECK(scatter_svg(chart).empty());
}

TEST_CASE("points of 10 and 1000 stand symmetrically on a square of 90..610 by 50..570") {
  const std::string svg = scatter_svg(
      {.title = "t", .text_of = plain, .points = {{"s", 10, 10, ""}, {"s", 1000, 1000, ""}}});
  // Two powers of ten and a margin of 0.08 on each side: the ends are 0.08 / 2.16 * 520 = 19.3 in.
  CHECK(svg.find("cx=\"109.3\" cy=\"550.7\"") != std::string::npos);
  CHECK(svg.find("cx=\"590.7\" cy=\"69.3\"") != std::string::npos);
  // Right predictions lie on the diagonal from corner to corner.
  CHECK(svg.find("<line x1=\"90.0\" y1=\"570.0\" x2=\"610.0\" y2=\"50.0\" stroke=\"#444\"/>") !=
        std::string::npos);
  // 20 % more is log10(1.2) = 0.0792 of 2.16, 19.1 pixels above it.
  CHECK(svg.find("<line x1=\"90.0\" y1=\"550.9\" x2=\"590.9\" y2=\"50.0\"") != std::string::npos);
  for (const char* tick : {">10<", ">20<", ">50<", ">100<", ">1000<"})
    CHECK(count_of(svg, tick) == 2);
}

TEST_CASE("the description counts the predictions within the band, its ends included") {
  const std::string svg = scatter_svg(
      {.title = "t",
       .text_of = plain,
       .points = {
           {"a", 100, 119, ""}, {"a", 100, 121, ""}, {"b", 100, 81, ""}, {"b", 100, 79, ""}}});
  CHECK(svg.find("<desc>2 of 4 predictions are within \u00b120 % of the measured value.</desc>") !=
        std::string::npos);
}

TEST_CASE("each series has a colour and a shape and stands in the legend; text is escaped") {
  const std::string svg = scatter_svg(
      {.title = "a < b", .text_of = plain, .points = {{"one", 1, 1, "R&D"}, {"two", 2, 2, ""}}});
  CHECK(svg.find("<title>a &lt; b</title>") != std::string::npos);
  CHECK(svg.find("<title>R&amp;D</title></circle>") != std::string::npos);
  CHECK(count_of(svg, "<circle") == 2);  // a point and its entry in the legend
  CHECK(count_of(svg, "<path") == 2);
  CHECK(svg.find(">one</text>") < svg.find(">two</text>"));
  CHECK(svg.find(">predicted = measured</text>") != std::string::npos);
}
