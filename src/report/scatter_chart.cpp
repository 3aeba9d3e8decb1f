#include "report/scatter_chart.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <map>
#include <utility>

#include "report/html.hpp"

namespace tokenyard::report {
namespace {

// In pixels.
constexpr double kWidth = 900, kHeight = 640;
constexpr double kLeft = 90, kTop = 50, kSide = 520;  // of the square that the points are in
constexpr double kLegendLeft = kLeft + kSide + 30;
constexpr double kLineHeight = 20;
constexpr double kMark = 3;  // half the width of a mark

// Told apart by people with any kind of colour vision (Okabe and Ito); with four shapes, 28 series.
constexpr std::array<const char*, 7> kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                 "#e69f00", "#56b4e9", "#000000"};
constexpr std::size_t kShapes = 4;

std::string px(double value) {
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, 1);
  return {text.data(), end.ptr};
}

struct Axis {
  double low = 0.0, high = 0.0;  // logarithms to the base 10

  [[nodiscard]] double share(double value) const {
    return (std::log10(value) - low) / (high - low);
  }
  [[nodiscard]] double x(double value) const { return kLeft + share(value) * kSide; }
  [[nodiscard]] double y(double value) const { return kTop + (1.0 - share(value)) * kSide; }
};

bool can_be_shown(const ScatterPoint& p) {
  return p.measured > 0.0 && p.predicted > 0.0 && std::isfinite(p.measured) &&
         std::isfinite(p.predicted);
}

// Both ends a little beyond the points, and never so near that there is no tick between them.
Axis axis_of(const std::vector<ScatterPoint>& points) {
  constexpr double kMargin = 0.08, kShortest = 1.0;  // powers of ten
  Axis axis{INFINITY, -INFINITY};
  for (const ScatterPoint& p : points) {
    axis.low = std::min({axis.low, std::log10(p.measured), std::log10(p.predicted)});
    axis.high = std::max({axis.high, std::log10(p.measured), std::log10(p.predicted)});
  }
  const double more = std::max(kMargin, (kShortest - (axis.high - axis.low)) / 2.0);
  return {axis.low - more, axis.high + more};
}

// 1, 2 and 5 of each power of ten; the powers alone where there are many.
std::vector<double> ticks_of(const Axis& axis) {
  constexpr double kMany = 2.5;  // powers of ten
  std::vector<double> ticks;
  for (double e = std::floor(axis.low); e <= axis.high; e += 1.0) {
    for (const double digit : {1.0, 2.0, 5.0}) {
      const double value = digit * std::pow(10.0, e);
      const double at = std::log10(value);
      if (digit > 1.0 && axis.high - axis.low > kMany) continue;
      if (at >= axis.low && at <= axis.high) ticks.push_back(value);
    }
  }
  return ticks;
}

std::string text_at(double x, double y, const char* anchor, const std::string& text,
                    const std::string& more = "") {
  return "<text x=\"" + px(x) + "\" y=\"" + px(y) + "\" text-anchor=\"" + anchor + '"' + more +
         '>' + html_text(text) + "</text>\n";
}

std::string line_from(double x1, double y1, double x2, double y2, const char* style) {
  return "<line x1=\"" + px(x1) + "\" y1=\"" + px(y1) + "\" x2=\"" + px(x2) + "\" y2=\"" + px(y2) +
         "\" " + style + "/>\n";
}

std::string mark_at(double x, double y, std::size_t series, const std::string& label) {
  const std::string colour = kColours[series % kColours.size()];
  const auto polygon = [&](std::initializer_list<std::pair<double, double>> corners) {
    std::string d;
    for (const auto& [dx, dy] : corners) {
      d += (d.empty() ? "M" : "L") + px(x + dx * kMark) + ' ' + px(y + dy * kMark);
    }
    return "<path d=\"" + d + "Z\"";
  };
  std::string shape;
  switch (series % kShapes) {
    case 0:
      shape = "<circle cx=\"" + px(x) + "\" cy=\"" + px(y) + "\" r=\"" + px(kMark) + '"';
      break;
    case 1:
      shape = polygon({{-0.9, -0.9}, {0.9, -0.9}, {0.9, 0.9}, {-0.9, 0.9}});
      break;
    case 2:
      shape = polygon({{0, -1.2}, {1.1, 0.9}, {-1.1, 0.9}});
      break;
    default:
      shape = polygon({{0, -1.3}, {1.3, 0}, {0, 1.3}, {-1.3, 0}});
  }
  shape += " fill=\"" + colour + "\" fill-opacity=\"0.65\"";
  if (label.empty()) return shape + "/>\n";
  return shape + "><title>" + html_text(label) + "</title></" +
         (series % kShapes == 0 ? "circle" : "path") + ">\n";
}

std::string frame(const ScatterChart& chart, const Axis& axis) {
  constexpr const char* kGrid = "stroke=\"#ddd\"";
  const double bottom = kTop + kSide, right = kLeft + kSide;
  std::string svg;
  for (const double tick : ticks_of(axis)) {
    svg += line_from(axis.x(tick), kTop, axis.x(tick), bottom, kGrid);
    svg += line_from(kLeft, axis.y(tick), right, axis.y(tick), kGrid);
    svg += text_at(axis.x(tick), bottom + 18, "middle", chart.text_of(tick));
    svg += text_at(kLeft - 8, axis.y(tick) + 4, "end", chart.text_of(tick));
  }
  svg += "<rect x=\"" + px(kLeft) + "\" y=\"" + px(kTop) + "\" width=\"" + px(kSide) +
         "\" height=\"" + px(kSide) + "\" fill=\"none\" stroke=\"#777\"/>\n";
  svg += text_at(kLeft + kSide / 2, bottom + 42, "middle", "measured");
  svg += text_at(0, 0, "middle", "predicted",
                 " transform=\"translate(18 " + px(kTop + kSide / 2) + ") rotate(-90)\"");
  svg += text_at(kLeft, kTop - 18, "start", chart.title, " font-size=\"17\" font-weight=\"600\"");
  return svg;
}

// The line of predicted = factor * measured, within the square.
std::string ratio_line(const Axis& axis, double factor, const char* style) {
  const double shift = std::log10(factor);
  const double from = std::max(axis.low, axis.low - shift);
  const double to = std::min(axis.high, axis.high - shift);
  const double measured_from = std::pow(10.0, from), measured_to = std::pow(10.0, to);
  return line_from(axis.x(measured_from), axis.y(measured_from * factor), axis.x(measured_to),
                   axis.y(measured_to * factor), style);
}

constexpr const char* kRight = "stroke=\"#444\"";
constexpr const char* kBandEdge = "stroke=\"#777\" stroke-dasharray=\"5 4\"";

std::string band_text(double band) {
  return "\u00b1" + std::to_string(std::lround(band * 100.0)) + " %";
}

std::string legend(const std::map<std::string, std::size_t>& series, double band) {
  double y = kTop + 10;
  std::string svg;
  const auto entry = [&](const std::string& mark, const std::string& text) {
    svg += mark + text_at(kLegendLeft + 16, y + 4, "start", text);
    y += kLineHeight;
  };
  const auto line = [&](const char* style) {
    return line_from(kLegendLeft - 10, y, kLegendLeft + 10, y, style);
  };
  for (const auto& [name, index] : series) entry(mark_at(kLegendLeft, y, index, ""), name);
  entry(line(kRight), "predicted = measured");
  entry(line(kBandEdge), band_text(band));
  return svg;
}

}  // namespace

std::string scatter_svg(const ScatterChart& chart) {
  std::vector<ScatterPoint> points;
  std::copy_if(chart.points.begin(), chart.points.end(), std::back_inserter(points), can_be_shown);
  if (points.empty()) return "";
  std::map<std::string, std::size_t> series;
  for (const ScatterPoint& p : points) series.emplace(p.series, 0);
  std::size_t next = 0;
  for (auto& entry : series) entry.second = next++;
  const auto inside = std::count_if(points.begin(), points.end(), [&](const ScatterPoint& p) {
    return std::abs(p.predicted / p.measured - 1.0) <= chart.band;
  });
  const Axis axis = axis_of(points);
  const double height = std::max(kHeight, kTop + (static_cast<double>(next) + 3) * kLineHeight);
  std::string svg = "<svg role=\"img\" width=\"" + px(kWidth) + "\" height=\"" + px(height) +
                    "\" viewBox=\"0 0 " + px(kWidth) + ' ' + px(height) +
                    "\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n" + "<title>" +
                    html_text(chart.title) + "</title>\n<desc>" + std::to_string(inside) + " of " +
                    std::to_string(points.size()) + " predictions are within " +
                    band_text(chart.band) + " of the measured value.</desc>\n";
  svg += frame(chart, axis);
  svg += ratio_line(axis, 1.0, kRight);
  svg += ratio_line(axis, 1.0 + chart.band, kBandEdge);
  svg += ratio_line(axis, 1.0 - chart.band, kBandEdge);
  for (const ScatterPoint& p : points)
    svg += mark_at(axis.x(p.measured), axis.y(p.predicted), series[p.series], p.label);
  return svg + legend(series, chart.band) + "</svg>\n";
}

}  // namespace tokenyard::report
