#include "study/error_stats.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <tuple>

#include "metrics/quantile_sketch.hpp"

namespace tokenyard::study {
namespace {

// By nearest rank, of sorted values.
std::optional<double> p90_of(const std::vector<double>& sorted) {
  constexpr double kHigh = 0.9;
  if (sorted.empty()) return std::nullopt;
  const std::int64_t rank = metrics::nearest_rank(kHigh, static_cast<std::int64_t>(sorted.size()));
  return sorted[static_cast<std::size_t>(rank) - 1];
}

// Of sorted values; of an even number the mean of the two in the middle, so that a bias leans to
// neither side.
std::optional<double> median_of(const std::vector<double>& sorted) {
  if (sorted.empty()) return std::nullopt;
  const std::size_t n = sorted.size();
  return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0;
}

// "129+" and "17-64" by their numbers, words after them by the alphabet.
struct NaturalOrder {
  static std::tuple<bool, std::int64_t, std::string> key(const std::string& text) {
    std::int64_t number = 0;
    const bool starts_with_one =
        std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc{};
    return {!starts_with_one, number, text};
  }
  bool operator()(const std::string& a, const std::string& b) const { return key(a) < key(b); }
};

using Points = std::vector<const ValidationPoint*>;

// Metrics in the order in which they are met.
void add_groups(std::vector<ErrorGroup>& groups, const std::string& value, const Points& points) {
  std::vector<std::pair<std::string, Points>> by_metric;
  for (const ValidationPoint* p : points) {
    const auto same = [&](const auto& entry) { return entry.first == p->measured.metric; };
    auto found = std::find_if(by_metric.begin(), by_metric.end(), same);
    if (found == by_metric.end()) {
      by_metric.emplace_back(p->measured.metric, Points{});
      found = by_metric.end() - 1;
    }
    found->second.push_back(p);
  }
  for (const auto& [metric, of_metric] : by_metric)
    groups.push_back({value, metric, error_stats(of_metric)});
}

}  // namespace

ErrorStats error_stats(const Points& points) {
  ErrorStats s;
  std::vector<double> errors, sizes, floors;
  std::size_t inside = 0;
  for (const ValidationPoint* p : points) {
    if (!p->predicted) continue;
    errors.push_back(p->error());
    sizes.push_back(std::abs(p->error()));
    if (!p->has_spread()) continue;
    inside += p->inside_spread() ? 1 : 0;
    floors.push_back((*p->measured.high - *p->measured.low) / 2.0 / p->measured.value);
  }
  s.points = errors.size();
  s.with_spread = floors.size();
  for (std::vector<double>* values : {&errors, &sizes, &floors})
    std::sort(values->begin(), values->end());
  s.median = median_of(sizes);
  s.p90 = p90_of(sizes);
  s.bias = median_of(errors);
  if (s.with_spread > 0)
    s.inside = static_cast<double>(inside) / static_cast<double>(s.with_spread);
  s.floor_median = median_of(floors);
  s.floor_p90 = p90_of(floors);
  return s;
}

std::vector<ErrorGroup> errors_by_metric(const Validation& validation) {
  Points all;
  for (const ValidationPoint& p : validation.points) all.push_back(&p);
  std::vector<ErrorGroup> groups;
  add_groups(groups, "", all);
  return groups;
}

std::vector<ErrorGroup> errors_by_label(const Validation& validation, std::size_t label) {
  std::map<std::string, Points, NaturalOrder> by_value;
  for (const ValidationPoint& p : validation.points)
    by_value[validation.cases[p.at].labels[label].second].push_back(&p);
  std::vector<ErrorGroup> groups;
  for (const auto& [value, points] : by_value) add_groups(groups, value, points);
  return groups;
}

Points worst_points(const Validation& validation, std::size_t most) {
  Points points;
  for (const ValidationPoint& p : validation.points) {
    if (p.predicted) points.push_back(&p);
  }
  // A prediction of zero is infinitely far off.
  const auto distance = [](const ValidationPoint* p) {
    return std::abs(std::log(*p->predicted / p->measured.value));
  };
  std::stable_sort(points.begin(), points.end(),
                   [&](const ValidationPoint* a, const ValidationPoint* b) {
                     return distance(a) > distance(b);
                   });
  if (points.size() > most) points.resize(most);
  return points;
}

}  // namespace tokenyard::study
