#pragma once
// Predicted against measured, as an SVG picture that stands in an HTML page by itself.
//
// Both axes are logarithmic and the same, so that equal ratios are equal distances everywhere and
// the diagonal is where predictions are right; dashed lines beside it are `band` off.  Each series
// has a colour and a shape, so that it can be told without the colour.  A point's label is shown
// under the mouse; what the picture shows as a whole is its description, for those who hear it.
#include <functional>
#include <string>
#include <vector>

namespace tokenyard::report {

struct ScatterPoint {
  std::string series;
  double measured = 0.0;
  double predicted = 0.0;
  std::string label;
};

struct ScatterChart {
  std::string title;
  std::function<std::string(double)> text_of;  // a value for people, with its unit
  double band = 0.2;                           // share of the measured value
  std::vector<ScatterPoint> points;            // those without two positive numbers are left out
};

// "" when there is no point to show.
std::string scatter_svg(const ScatterChart& chart);

}  // namespace tokenyard::report
