#include "study/robust_fit.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <stdexcept>

namespace {

using namespace tokenyard::study;

// Within `share` of the value itself: doctest's own tolerance is of the value plus 1.
doctest::Approx near(double value, double share) {
  return doctest::Approx(value).epsilon(share).scale(0.0);
}

// y = a x^b at x = 1, 2, 4, 8, 16 with a = 3, b = 0.5; residuals in tenths of the logarithm.
struct PowerLaw {
  std::vector<double> measured;
  PowerLaw() {
    for (int i = 0; i < 5; ++i) measured.push_back(3.0 * std::pow(x(i), 0.5));
  }
  static double x(int i) { return std::pow(2.0, i); }
  [[nodiscard]] FitProblem problem(double width) const {
    return {.parameters = {{.name = "a", .expected = 1.0, .width = width},
                           {.name = "b", .expected = 1.0, .width = width}},
            .residuals = measured.size(),
            .evaluate = [this](const std::vector<double>& p, std::optional<std::size_t>,
                               std::vector<double>& r) {
              for (int i = 0; i < 5; ++i) {
                const auto at = static_cast<std::size_t>(i);
                r[at] = 10.0 * std::log(p[0] * std::pow(x(i), p[1]) / measured[at]);
              }
            }};
  }
};

// The value of one parameter with the residuals 10 ln(p / m) of the measurements m.
FitProblem level(const std::vector<double>& measured, FitParameter parameter) {
  return {.parameters = {std::move(parameter)},
          .residuals = measured.size(),
          .evaluate = [measured](const std::vector<double>& p, std::optional<std::size_t>,
                                 std::vector<double>& r) {
            for (std::size_t i = 0; i < measured.size(); ++i)
              r[i] = 10.0 * std::log(p[0] / measured[i]);
          }};
}

}  // namespace

TEST_CASE("exact data gives its parameters back, where the prior is wide") {
  const PowerLaw law;
  const FitResult fit = robust_fit(law.problem(1e3), {1.0, 1.0}, {.least_gain = 1e-9});
  CHECK(fit.values[0] == near(3.0, 1e-4));
  CHECK(fit.values[1] == near(0.5, 1e-4));
  CHECK(fit.target < 1e-5 * fit.target_before);
}

TEST_CASE(
    "with two Jacobians for all steps the same parameters come out, after fewer evaluations") {
  const PowerLaw law;
  std::vector<int> calls;
  for (const std::optional<std::size_t> jacobians :
       {std::optional<std::size_t>(), std::optional<std::size_t>(2)}) {
    FitProblem problem = law.problem(1.0);
    const auto whole = problem.evaluate;
    calls.push_back(0);
    problem.evaluate = [&](const std::vector<double>& p, std::optional<std::size_t> only,
                           std::vector<double>& r) {
      ++calls.back();
      whole(p, only, r);
    };
    const FitResult fit =
        robust_fit(problem, {1.0, 1.0}, {.least_gain = 1e-6, .jacobians = jacobians});
    // ln a = ln 3 - 1.1 % or so, pulled to 0 by the prior.
    CHECK(fit.values[0] == near(3.0, 0.02));
    CHECK(fit.values[1] == near(0.5, 0.02));
  }
  CHECK(calls[1] < calls[0]);
}

TEST_CASE("four measured 1 and one measured 10: the fit is 1.026, not the mean of 1.58") {
  const FitProblem problem = level({1, 1, 1, 1, 10}, {.name = "p", .expected = 1, .width = 1e3});
  for (const double start : {1.0, 3.0, 10.0}) {
    CAPTURE(start);
    const FitResult fit = robust_fit(problem, {start}, {.most_steps = 50, .least_gain = 1e-9});
    CHECK(fit.values[0] == near(1.026, 1e-3));
  }
}

TEST_CASE("what the data does not show stays where it is expected") {
  // The second parameter is in no residual.
  FitProblem problem = level({2, 2}, {.name = "p", .expected = 1, .width = 1e3});
  problem.parameters.push_back({.name = "unseen", .expected = 7, .width = 0.5});
  const FitResult fit = robust_fit(problem, {1.0, 9.0}, {.least_gain = 1e-9});
  CHECK(fit.values[0] == near(2.0, 1e-4));
  CHECK(fit.values[1] == near(7.0, 1e-4));
}

TEST_CASE(
    "one measurement against the prior: for small residuals the weighted mean of logarithms") {
  // r = 10 ln(p / 1.01), prior (ln p) / 0.1: equal weights, half of ln 1.01.
  const FitProblem problem = level({1.01}, {.name = "p", .expected = 1, .width = 0.1});
  const FitResult fit = robust_fit(problem, {1.0}, {.least_gain = 1e-12});
  CHECK(std::log(fit.values[0]) == near(0.5 * std::log(1.01), 1e-2));
}

TEST_CASE("data beyond a limit brings a parameter next to it and no further") {
  const FitProblem problem =
      level({1.5, 1.5}, {.name = "share", .expected = 0.5, .width = 0.5, .limit = 1.0});
  const FitResult fit = robust_fit(problem, {0.5}, {.most_steps = 40});
  CHECK(fit.values[0] > 0.97);
  CHECK(fit.values[0] <= 1.0);
  // One inside is found from a start at the limit.
  const FitProblem inside =
      level({0.6, 0.6}, {.name = "share", .expected = 0.5, .width = 1e3, .limit = 1.0});
  CHECK(robust_fit(inside, {1.0}, {.most_steps = 40, .least_gain = 1e-9}).values[0] ==
        near(0.6, 1e-3));
}

TEST_CASE("a fit takes no more steps than it may, and none makes the target larger") {
  const PowerLaw law;
  double last = 1e300;
  for (std::size_t steps = 1; steps <= 6; ++steps) {
    const FitResult fit =
        robust_fit(law.problem(1e3), {1.0, 1.0}, {.most_steps = steps, .least_gain = 0.0});
    CHECK(fit.steps <= steps);
    CHECK(fit.target <= last);
    last = fit.target;
  }
}

TEST_CASE("what a residual throws comes out of the fit") {
  for (const int throws_at : {1, 2, 3}) {
    FitProblem problem = level({1, 2}, {.name = "p", .expected = 1, .width = 1});
    const auto whole = problem.evaluate;
    int calls = 0;
    problem.evaluate = [&](const std::vector<double>& p, std::optional<std::size_t> only,
                           std::vector<double>& r) {
      if (++calls == throws_at) throw std::runtime_error("interrupted");
      whole(p, only, r);
    };
    CAPTURE(throws_at);
    CHECK_THROWS_WITH(static_cast<void>(robust_fit(problem, {1.0})), "interrupted");
  }
}

TEST_CASE("only the parameter that moves is named when the Jacobian is taken") {
  FitProblem problem = level({1, 2}, {.name = "p", .expected = 1, .width = 1});
  problem.parameters.push_back({.name = "q", .expected = 1, .width = 1});
  const auto whole = problem.evaluate;
  std::vector<double> base;
  int moved = 0;
  problem.evaluate = [&](const std::vector<double>& p, std::optional<std::size_t> only,
                         std::vector<double>& r) {
    if (only) {
      ++moved;
      CHECK(p[1 - *only] == base[1 - *only]);
      CHECK(p[*only] == near(base[*only] * std::exp(-0.02), 1e-12));
    } else {
      base = p;
    }
    whole(p, only, r);
  };
  static_cast<void>(robust_fit(problem, {1.0, 1.0}, {.most_steps = 1}));
  CHECK(moved == 2);
}
