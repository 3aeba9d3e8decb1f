#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "trace_files.hpp"
#include "workload/distributions.hpp"
#include "workload/trace_stats.hpp"

using namespace tokenyard;
using namespace tokenyard::workload;

namespace {

constexpr std::int64_t kMany = 100'000;

WorkloadSpec generator(const std::string& text) {
  return read_workload("generator: {" + text + "}\n");
}

TraceStats stats_of(const std::string& text) {
  const auto stream = open_stream(generator(text), {});
  return compute_stats(*stream, kMany);
}

LengthSpec lognormal(double median, double sigma) {
  LengthSpec spec;
  spec.kind = LengthKind::lognormal;
  spec.median = median;
  spec.sigma = sigma;
  spec.max = kMaxTokens;
  return spec;
}

std::vector<std::int64_t> sorted_draws(const LengthSpec& spec) {
  LengthSampler sampler(spec, 7, "test");
  std::vector<std::int64_t> draws(static_cast<std::size_t>(kMany));
  for (std::int64_t& d : draws) d = sampler.draw();
  std::sort(draws.begin(), draws.end());
  return draws;
}

double mean_of(const std::vector<std::int64_t>& values) {
  double sum = 0.0;
  for (const std::int64_t v : values) sum += static_cast<double>(v);
  return sum / static_cast<double>(values.size());
}

}  // namespace

// Tolerances are four standard errors at n = 100,000 draws, worked out where they stand.

TEST_CASE("poisson at 2 /s: gaps of mean 0.5 s and CV 1") {
  const TraceStats s = stats_of("kind: poisson, rate: 2 /s, input: 10, output: 5");
  CHECK(s.gap_mean_s ==
        doctest::Approx(0.5).epsilon(4.0 / std::sqrt(1e5)));  // CV / sqrt(n) = 0.3 %
  CHECK(s.gap_cv == doctest::Approx(1.0).epsilon(
                        4.0 / std::sqrt(1e5)));  // the same for the CV of an exponential
  CHECK(s.input_tokens.mean == 10.0);
  CHECK(s.output_tokens.max == 5.0);
}

TEST_CASE("gamma at 2 /s with CV 3: gaps of mean 0.5 s and CV 3") {
  const TraceStats s = stats_of("kind: gamma, cv: 3, rate: 2 /s, input: 10, output: 5");
  CHECK(s.gap_mean_s == doctest::Approx(0.5).epsilon(4.0 * 3.0 / std::sqrt(1e5)));
  // Of a gamma with CV c the relative error of the CV estimate is about sqrt((3 c^2 + 1) / (2
  // n)): 1.2 %.
  CHECK(s.gap_cv == doctest::Approx(3.0).epsilon(4.0 * std::sqrt(28.0 / 2e5)));
}

TEST_CASE(
    "fixed concurrency: everything is there at once, and the stream says how much is in flight") {
  const auto stream = open_stream(
      generator("kind: fixed-concurrency, concurrency: 64, input: 10, output: 5, requests: 3"), {});
  CHECK(stream->concurrency() == 64);
  CHECK_FALSE(stream->endless());
  const std::vector<Request> requests = all_of(*stream);
  REQUIRE(requests.size() == 3);
  CHECK(requests[2].arrival_s == 0.0);
  CHECK(requests[2].id == 2);
}

TEST_CASE("a lognormal has the median given, and the quantiles that sigma says") {
  const std::vector<std::int64_t> draws = sorted_draws(lognormal(1000, 1.0));
  // Standard error of a quantile's logarithm: sqrt(p (1-p) / n) / density; 0.4 % at the median, 0.5
  // % at 84.13 %, where the value is median * e.
  CHECK(static_cast<double>(draws[50'000]) == doctest::Approx(1000.0).epsilon(4 * 0.004));
  CHECK(static_cast<double>(draws[84'134]) == doctest::Approx(2718.3).epsilon(4 * 0.005));
}

TEST_CASE("a lognormal given by its mean has that mean: 1000 with sigma 0.5") {
  LengthSpec spec = lognormal(1, 0.5);
  spec.median.reset();
  spec.mean = 1000.0;
  // CV = sqrt(exp(0.25) - 1) = 0.533.
  CHECK(mean_of(sorted_draws(spec)) == doctest::Approx(1000.0).epsilon(4 * 0.533 / std::sqrt(1e5)));
}

TEST_CASE("draws outside min..max are set to the bound") {
  LengthSpec spec = lognormal(1000, 2.0);
  spec.min = 500;
  spec.max = 2000;
  const std::vector<std::int64_t> draws = sorted_draws(spec);
  CHECK(draws.front() == 500);
  CHECK(draws.back() == 2000);
  // ln 2 / 2 = 0.3466 deviations either way: 36.4 % lie below the lower bound.
  CHECK(draws[36'000] == 500);
  CHECK(draws[37'000] > 500);
}

TEST_CASE("geometric, uniform and empirical lengths have their means: 20, 15 and 4") {
  LengthSpec spec;
  spec.kind = LengthKind::geometric;
  spec.mean = 20.0;
  CHECK(mean_of(sorted_draws(spec)) ==
        doctest::Approx(20.0).epsilon(4.0 / std::sqrt(1e5)));  // CV below 1
  spec.kind = LengthKind::uniform;
  spec.min = 10;
  spec.max = 20;
  const std::vector<std::int64_t> uniform = sorted_draws(spec);
  CHECK(uniform.front() == 10);
  CHECK(uniform.back() == 20);
  CHECK(mean_of(uniform) == doctest::Approx(15.0).epsilon(4 * 3.163 / 15.0 / std::sqrt(1e5)));
  spec.kind = LengthKind::empirical;
  spec.values = {1, 4, 7};
  CHECK(mean_of(sorted_draws(spec)) ==
        doctest::Approx(4.0).epsilon(4 * 2.45 / 4.0 / std::sqrt(1e5)));
}

TEST_CASE("waiting times: exponential mean, lognormal median, fixed and uniform bounds") {
  const auto mean = [](const TimeSpec& spec) {
    TimeSampler sampler(spec, 7, "test");
    double sum = 0.0;
    for (std::int64_t i = 0; i < kMany; ++i) sum += sampler.draw_s();
    return sum / static_cast<double>(kMany);
  };
  TimeSpec spec;
  spec.value = seconds(3);
  CHECK(TimeSampler(spec, 1, "t").draw_s() == 3.0);
  spec.kind = TimeKind::exponential;
  spec.mean = seconds(2);
  CHECK(mean(spec) == doctest::Approx(2.0).epsilon(4.0 / std::sqrt(1e5)));
  spec.kind = TimeKind::uniform;
  spec.min = seconds(1);
  spec.max = seconds(2);
  CHECK(mean(spec) == doctest::Approx(1.5).epsilon(4 * 0.2887 / 1.5 / std::sqrt(1e5)));
  spec = TimeSpec{};
  spec.kind = TimeKind::lognormal;
  spec.mean = seconds(2);
  spec.sigma = 0.5;
  CHECK(mean(spec) == doctest::Approx(2.0).epsilon(4 * 0.533 / std::sqrt(1e5)));
}

TEST_CASE(
    "logistic times: half below the median, nine of ten below p90, a tenth below 0 and set to "
    "min") {
  TimeSpec spec;
  spec.kind = TimeKind::logistic;
  spec.median = seconds(10);
  spec.p90 = seconds(20);
  spec.min = seconds(0.5);
  const auto sorted = [](const TimeSpec& of) {
    TimeSampler sampler(of, 7, "test");
    std::vector<double> draws(static_cast<std::size_t>(kMany));
    for (double& d : draws) d = sampler.draw_s();
    std::sort(draws.begin(), draws.end());
    return draws;
  };
  const std::vector<double> draws = sorted(spec);
  // The density at a share p is p (1 - p) / s with s = 10 / ln 9 = 4.55 s, so a quantile is off by
  // s / sqrt(p (1 - p) n): 0.029 s in the middle, 0.048 s at 0.9.
  CHECK(std::abs(draws[50'000] - 10.0) < 4 * 0.029);
  CHECK(std::abs(draws[90'000] - 20.0) < 4 * 0.048);
  CHECK(draws[9'500] == 0.5);
  // Who has waited 30 s, s ln 81 beyond the median, leaves at a rate of (81 / 82) / s: of those, 1/e
  // and a little are there 4.55 s later.
  const auto after = [&](double t) {
    return static_cast<double>(draws.end() - std::upper_bound(draws.begin(), draws.end(), t));
  };
  CHECK(after(30.0) == doctest::Approx(kMany / 82.0).epsilon(4.0 / std::sqrt(1220.0)));
  CHECK(after(30.0 + 4.551) ==
        doctest::Approx(kMany / (1.0 + 81.0 * std::exp(1.0))).epsilon(4.0 / std::sqrt(452.0)));
  TimeSpec by_scale = spec;
  by_scale.p90.reset();
  by_scale.scale = seconds(10.0 / std::log(9.0));
  CHECK(sorted(by_scale)[77'000] == doctest::Approx(draws[77'000]));
}

TEST_CASE(
    "the same seed gives the same requests, another seed others, and lengths do not depend on the "
    "rate") {
  const std::string rest =
      ", input: {kind: geometric, mean: 100}, output: {kind: geometric, mean: 10}, requests: 50";
  const WorkloadSpec slow = generator("kind: poisson, rate: 1 /s" + rest);
  const WorkloadSpec fast = generator("kind: gamma, cv: 2, rate: 9 /s" + rest);
  const std::vector<Request> a = all_of(slow);
  CHECK(a == all_of(slow));
  CHECK(a != all_of(slow, {.directory = {}, .fallback = {}, .seed = 2}));
  const std::vector<Request> b = all_of(fast);
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].input_tokens == b[i].input_tokens);
    CHECK(a[i].output_tokens == b[i].output_tokens);
  }
}

TEST_CASE("a rate scale of 2 halves every gap and leaves the lengths") {
  const WorkloadSpec spec = generator(
      "kind: poisson, rate: 1 /s, input: {kind: geometric, mean: 100}, output: 1, requests: 50");
  const std::vector<Request> a = all_of(spec);
  const std::vector<Request> b =
      all_of(spec, {.directory = {}, .fallback = {}, .seed = 1, .rate_scale = 2.0});
  CHECK(b.back().arrival_s == doctest::Approx(a.back().arrival_s / 2));
  CHECK(b.back().input_tokens == a.back().input_tokens);
}

TEST_CASE(
    "a generator without a number of requests has no end, and is not counted or written without a "
    "limit") {
  const auto stream = open_stream(generator("kind: poisson, rate: 2 /s, input: 10, output: 5"), {});
  CHECK(stream->endless());
  CHECK(message_of([&] { compute_stats(*stream); }) ==
        "error: the workload has no end; say how many requests to look at (its key 'requests' or a "
        "limit)");
}

TEST_CASE("a million poisson requests with lognormal lengths take less than half a second") {
  // Measured 0.1 s with -O2; the bound leaves room for unoptimised builds and busy machines.
  const auto stream = open_stream(
      generator("kind: poisson, rate: 2 /s, input: {kind: lognormal, median: 1000, sigma: 1},"
                " output: {kind: lognormal, median: 100, sigma: 1}"),
      {});
  Request r;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 1'000'000; ++i) stream->next(r);
  const double wall_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  MESSAGE("1,000,000 requests in " << wall_s << " s");
  CHECK(wall_s < 0.5);
}
