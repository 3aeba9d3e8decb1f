// Arrival processes against their closed forms.  Tolerances are four standard errors, worked out where
// they stand.
#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "trace_files.hpp"

using namespace tokenyard;
using namespace tokenyard::workload;

namespace {

constexpr double kDay_s = 86'400.0;

// The arrival times of a generator of requests of 1 token before `until_s`.
std::vector<double> arrivals(const std::string& text, double until_s, double rate_scale = 1.0) {
  const auto stream =
      open_stream(read_workload("generator: {" + text + ", input: 1, output: 1}\n"),
                  {.directory = {}, .fallback = {}, .seed = 1, .rate_scale = rate_scale});
  std::vector<double> times;
  for (Request r; stream->next(r) && r.arrival_s < until_s;) times.push_back(r.arrival_s);
  return times;
}

// Share of the arrivals between two hours of the day.
double share_between(const std::vector<double>& times, double from_h, double to_h) {
  double inside = 0.0;
  for (const double t : times) {
    const double hour = std::fmod(t, kDay_s) / 3600.0;
    inside += hour >= from_h && hour < to_h ? 1.0 : 0.0;
  }
  return inside / static_cast<double>(times.size());
}

}  // namespace

TEST_CASE("a diurnal rate of 0.5 /s is that in the mean of ten days: 432,000 arrivals") {
  const std::vector<double> times =
      arrivals("kind: diurnal, rate: 0.5 /s, peak_to_mean: 1.8", 10 * kDay_s);
  // Poisson: the deviation is sqrt(432,000) = 657.
  CHECK(std::abs(static_cast<double>(times.size()) - 432'000.0) < 4 * 657.0);
  // 1/2 + 0.8 / pi = 75.5 % of them come from 6 to 18 h; binomial, 0.066 % off.
  CHECK(std::abs(share_between(times, 6, 18) - (0.5 + 0.8 / std::numbers::pi)) < 4 * 6.6e-4);
  // In the hour around the peak 1/24 + 0.8 / pi * sin(pi / 24) = 7.49 %, around midnight 0.84 %.
  const double swing = 0.8 / std::numbers::pi * std::sin(std::numbers::pi / 24);
  CHECK(std::abs(share_between(times, 11.5, 12.5) - (1.0 / 24 + swing)) < 4 * 4.0e-4);
  CHECK(std::abs(share_between(times, 0, 0.5) + share_between(times, 23.5, 24) -
                 (1.0 / 24 - swing)) < 4 * 1.4e-4);
}

TEST_CASE("the peak comes when peak_at says, and again after a period") {
  const std::string rate = "kind: diurnal, rate: 0.5 /s, peak_to_mean: 1.8, ";
  const std::vector<double> late = arrivals(rate + "peak_at: 18 h", 10 * kDay_s);
  CHECK(std::abs(share_between(late, 12, 24) - (0.5 + 0.8 / std::numbers::pi)) < 4 * 6.6e-4);
  // Half days have their peaks at 3 and 15 h: from 0 to 6 and from 12 to 18 h.
  const std::vector<double> twice = arrivals(rate + "period: 12 h, peak_at: 3 h", 10 * kDay_s);
  CHECK(std::abs(share_between(twice, 0, 6) - 0.5 * (0.5 + 0.8 / std::numbers::pi)) < 4 * 7.4e-4);
}

TEST_CASE("a day without ups and downs is the poisson or gamma process of its rate") {
  const auto check_same = [](const std::string& day, const std::string& other) {
    const std::vector<double> a = arrivals(day, 2000.0);
    const std::vector<double> b = arrivals(other, 2000.0);
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == doctest::Approx(b[i]));
  };
  check_same("kind: diurnal, rate: 1 /s, peak_to_mean: 1", "kind: poisson, rate: 1 /s");
  check_same("kind: diurnal, rate: 1 /s, peak_to_mean: 1, cv: 3", "kind: gamma, rate: 1 /s, cv: 3");
}

TEST_CASE("where the rate falls to nothing, arrivals still never go back, and few are there") {
  const std::vector<double> times =
      arrivals("kind: diurnal, rate: 2 /s, peak_to_mean: 2", 3 * kDay_s);
  for (std::size_t i = 1; i < times.size(); ++i) REQUIRE(times[i] >= times[i - 1]);
  // From 23:30 to 0:30, 3,600 * 2 * (1 - sin(pi / 24) / (pi / 24)) = 20.5 a night, of 172,800.
  const double night = share_between(times, 0, 0.5) + share_between(times, 23.5, 24);
  CHECK(std::abs(night * static_cast<double>(times.size()) - 3 * 20.5) < 4 * 7.9);
}

TEST_CASE("a rate scale of 2 doubles a day's arrivals and leaves its shape") {
  const std::vector<double> times =
      arrivals("kind: diurnal, rate: 0.5 /s, peak_to_mean: 1.8", 5 * kDay_s, 2.0);
  CHECK(std::abs(static_cast<double>(times.size()) - 432'000.0) < 4 * 657.0);
  CHECK(std::abs(share_between(times, 6, 18) - (0.5 + 0.8 / std::numbers::pi)) < 4 * 6.6e-4);
}

TEST_CASE(
    "mmpp of 1 /s for 90 s and 11 /s for 10 s: 2 /s, and counts of 100 s vary 74.7 times as much") {
  constexpr double kUntil_s = 1e6;
  constexpr double kWindow_s = 100.0;
  const std::vector<double> times =
      arrivals("kind: mmpp, rates: [1 /s, 11 /s], dwell: [90 s, 10 s]", kUntil_s);
  // Of counts in a long time the variance is 82 times the mean: sqrt(82 * 2e6) = 12,806.
  CHECK(std::abs(static_cast<double>(times.size()) - 2e6) < 4 * 12'806.0);
  std::vector<double> counts(static_cast<std::size_t>(kUntil_s / kWindow_s));
  for (const double t : times) counts[static_cast<std::size_t>(t / kWindow_s)] += 1.0;
  double squares = 0.0;
  for (const double count : counts) squares += (count - 200.0) * (count - 200.0);
  const double dispersion = squares / static_cast<double>(counts.size()) / 200.0;
  // 1 + 81 (1 - (1 - exp(-s t)) / (s t)) with s t = (1/90 + 1/10) * 100 = 11.1.  The squares of 10,000
  // windows with long tails are off by about 3 %.
  const double st = 100.0 / 90.0 + 10.0;
  CHECK(dispersion ==
        doctest::Approx(1.0 + 81.0 * (1.0 - (1.0 - std::exp(-st)) / st)).epsilon(4 * 0.03));
}

TEST_CASE(
    "mmpp with a silent state: a tenth of the time at 10 /s is 1 /s, the rest has gaps of 90 s") {
  const std::vector<double> times =
      arrivals("kind: mmpp, rates: [0 /s, 10 /s], dwell: [90 s, 10 s]", 1e6, 1.0);
  // Variance over mean: 1 + 2 * 100 * 810,000 / (10,000 * 100) = 163: sqrt(163 * 1e6) = 12,767.
  CHECK(std::abs(static_cast<double>(times.size()) - 1e6) < 4 * 12'767.0);
  double long_gaps = 0.0;
  for (std::size_t i = 1; i < times.size(); ++i) long_gaps += times[i] - times[i - 1] > 10 ? 1 : 0;
  // 10,000 silences, of which exp(-10 / 90) = 89.5 % are longer than 10 s.
  CHECK(std::abs(long_gaps - 8948.0) < 4 * 100.0);
}

TEST_CASE("agents' sessions arrive by any of the processes, and as poisson when nothing is said") {
  const auto first_turns = [](const std::string& how) {
    std::vector<double> times;
    for (const Request& r : all_of(read_workload(
             "generator: {kind: agents, requests: 300, output: 5, " + how +
             ", agents: {turns: 2, initial_context: 10, tool_output: 10, tool_time: 1 s}}\n"))) {
      if (r.after.empty()) times.push_back(r.arrival_s);
    }
    return times;
  };
  const auto requests = [](const std::string& how) { return arrivals(how, 1e9); };
  CHECK(first_turns("rate: 2 /s") == requests("kind: poisson, rate: 2 /s, requests: 300"));
  CHECK(first_turns("arrivals: gamma, rate: 2 /s, cv: 3") ==
        requests("kind: gamma, rate: 2 /s, cv: 3, requests: 300"));
  CHECK(first_turns("arrivals: diurnal, rate: 2 /h, peak_to_mean: 1.5") ==
        requests("kind: diurnal, rate: 2 /h, peak_to_mean: 1.5, requests: 300"));
  CHECK(first_turns("arrivals: mmpp, rates: [1 /s, 9 /s], dwell: [9 s, 1 s]") ==
        requests("kind: mmpp, rates: [1 /s, 9 /s], dwell: [9 s, 1 s], requests: 300"));
}
