#include "study/robust_fit.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <unsupported/Eigen/LevenbergMarquardt>
#include <utility>

#include "base/error.hpp"

namespace tokenyard::study {
namespace {

constexpr double kDifference = 0.02;     // of the logarithm of a parameter, for the Jacobian
constexpr int kMostTrials = 6;           // of a step, ever shorter, until it is given up
constexpr double kFurthest = 100.0;      // from what is expected, a factor that is not tried
constexpr double kTooFar = 1e10;         // what a trial further off is said to be, for each root
constexpr double kNearestLimit = 0.995;  // of its limit, where a parameter may begin

double soft_l1_root(double r) {
  // 2 (sqrt(1 + r^2) - 1) without the cancellation of small r.
  return r * std::sqrt(2.0 / (std::sqrt(1.0 + r * r) + 1.0));
}

double soft_l1_root_slope(double r) {
  const double s = std::sqrt(1.0 + r * r);
  return std::sqrt((s + 1.0) / 2.0) / s;
}

// Between a parameter and the coordinate, without bounds, that the method moves.
double to_coordinate(const FitParameter& p, double value) {
  if (!std::isfinite(p.limit)) return std::log(value);
  const double share = std::min(value / p.limit, kNearestLimit);
  return std::log(share / (1.0 - share));
}

double to_value(const FitParameter& p, double coordinate) {
  if (!std::isfinite(p.limit)) return std::exp(coordinate);
  return p.limit / (1.0 + std::exp(-coordinate));
}

// d ln(value) / d coordinate
double log_slope(const FitParameter& p, double value) {
  return std::isfinite(p.limit) ? 1.0 - value / p.limit : 1.0;
}

using Eigen::LevenbergMarquardtSpace::Status;
using Vector = Eigen::VectorXd;
using Matrix = Eigen::MatrixXd;

// What the library minimises the squares of: the roots of the terms of the target.
class Task : public Eigen::DenseFunctor<double> {
 public:
  Task(const FitProblem& problem, const FitOptions& options)
      : Eigen::DenseFunctor<double>(
            static_cast<int>(problem.parameters.size()),
            static_cast<int>(problem.residuals + problem.parameters.size())),
        problem_(&problem),
        adjusts_(options.jacobians.has_value()),
        values_(problem.parameters.size()),
        coordinates_(problem.parameters.size()) {}

  void begin_step() { trials_ = 0; }
  // The next Jacobian is taken and not adjusted.
  void forget_slopes() { slopes_.clear(); }
  [[nodiscard]] std::size_t jacobians() const { return jacobians_; }

  // Below zero ends the library's search for a step.
  int operator()(const Vector& x, Vector& f) {
    if (is_too_far(x)) {
      // The library makes its step shorter.
      f.fill(kTooFar);
      return 0;
    }
    if (trials_++ == kMostTrials) return -1;
    move_to(x);
    for (std::size_t i = 0; i < residuals_.size(); ++i) f[at(i)] = soft_l1_root(residuals_[i]);
    for (std::size_t k = 0; k < values_.size(); ++k) {
      const FitParameter& p = problem_->parameters[k];
      f[at(residuals_.size() + k)] = std::log(values_[k] / p.expected) / p.width;
    }
    return 0;
  }

  int df(const Vector& x, Matrix& j) {
    move_to(x);
    if (adjusts_ && !slopes_.empty()) {
      adjust_slopes();
    } else {
      measure_slopes();
    }
    slopes_at_ = coordinates_;
    residuals_at_ = residuals_;
    j.setZero();
    for (std::size_t k = 0; k < values_.size(); ++k) {
      for (std::size_t i = 0; i < residuals_.size(); ++i)
        j(at(i), at(k)) = soft_l1_root_slope(residuals_[i]) * slopes_[k][i];
      const FitParameter& p = problem_->parameters[k];
      j(at(residuals_.size() + k), at(k)) = log_slope(p, values_[k]) / p.width;
    }
    return 0;
  }

 private:
  static Eigen::Index at(std::size_t i) { return static_cast<Eigen::Index>(i); }

  [[nodiscard]] bool is_too_far(const Vector& x) const {
    for (std::size_t k = 0; k < values_.size(); ++k) {
      const FitParameter& p = problem_->parameters[k];
      const double factor = to_value(p, x[at(k)]) / p.expected;
      if (!(factor < kFurthest && factor > 1.0 / kFurthest)) return true;
    }
    return false;
  }

  // Residuals at x; those of the point asked for last are still there.
  void move_to(const Vector& x) {
    std::vector<double> values(values_.size());
    for (std::size_t k = 0; k < values.size(); ++k)
      values[k] = to_value(problem_->parameters[k], x[at(k)]);
    if (evaluated_ && values == values_) return;
    evaluated_ = false;
    residuals_.assign(problem_->residuals, 0.0);
    problem_->evaluate(values, std::nullopt, residuals_);
    values_ = std::move(values);
    coordinates_.assign(x.begin(), x.end());
    evaluated_ = true;
  }

  void measure_slopes() {
    ++jacobians_;
    slopes_.assign(values_.size(), std::vector<double>(residuals_.size()));
    std::vector<double> moved;
    for (std::size_t k = 0; k < values_.size(); ++k) {
      // Downwards, where there is room also next to a limit.
      std::vector<double> values = values_;
      values[k] *= std::exp(-kDifference);
      const double step = to_coordinate(problem_->parameters[k], values[k]) - coordinates_[k];
      moved = residuals_;
      problem_->evaluate(values, k, moved);
      for (std::size_t i = 0; i < moved.size(); ++i)
        slopes_[k][i] = (moved[i] - residuals_[i]) / step;
    }
  }

  // The smallest change that explains what the step has done (Broyden 1965).
  void adjust_slopes() {
    double length2 = 0.0;
    for (std::size_t k = 0; k < values_.size(); ++k)
      length2 += (coordinates_[k] - slopes_at_[k]) * (coordinates_[k] - slopes_at_[k]);
    if (length2 == 0.0) return;
    for (std::size_t i = 0; i < residuals_.size(); ++i) {
      double unexplained = residuals_[i] - residuals_at_[i];
      for (std::size_t k = 0; k < values_.size(); ++k)
        unexplained -= slopes_[k][i] * (coordinates_[k] - slopes_at_[k]);
      for (std::size_t k = 0; k < values_.size(); ++k)
        slopes_[k][i] += unexplained * (coordinates_[k] - slopes_at_[k]) / length2;
    }
  }

  const FitProblem* problem_;
  bool adjusts_;
  std::vector<double> values_, coordinates_, residuals_;
  // Of each residual by coordinate, at the coordinates and residuals where they were taken.
  std::vector<std::vector<double>> slopes_;
  std::vector<double> slopes_at_, residuals_at_;
  bool evaluated_ = false;
  int trials_ = 0;
  std::size_t jacobians_ = 0;
};

// Where the fit begins, checked.
Vector first_point(const FitProblem& problem, const std::vector<double>& start) {
  check(start.size() == problem.parameters.size(), "a fit begins with a value for each parameter");
  check(!start.empty() && problem.residuals > 0, "a fit has parameters and residuals");
  Vector x(static_cast<Eigen::Index>(start.size()));
  for (std::size_t k = 0; k < start.size(); ++k) {
    const FitParameter& p = problem.parameters[k];
    check(start[k] > 0.0 && p.expected > 0.0 && p.width > 0.0, "parameters of a fit are positive");
    x[static_cast<Eigen::Index>(k)] = to_coordinate(p, start[k]);
  }
  return x;
}

}  // namespace

FitResult robust_fit(const FitProblem& problem, const std::vector<double>& start,
                     const FitOptions& options) {
  Vector x = first_point(problem, start);
  Task task(problem, options);
  Eigen::LevenbergMarquardt<Task> search(task);
  // Where to end is decided below, by the target alone.
  search.setFtol(0.0);
  search.setXtol(0.0);
  const auto target = [&search] { return search.fnorm() * search.fnorm(); };
  const auto begin = [&] {
    task.begin_step();
    search.minimizeInit(x);
  };
  begin();
  FitResult result;
  result.target = result.target_before = target();
  while (result.steps < options.most_steps) {
    task.begin_step();
    const Status status = search.minimizeOneStep(x);
    check(status != Status::ImproperInputParameters, "a fit's Jacobian cannot be factored");
    ++result.steps;
    const double before = std::exchange(result.target, target());
    if (before - result.target >= options.least_gain * before) continue;
    if (task.jacobians() >= options.jacobians.value_or(0)) break;
    task.forget_slopes();
    begin();
  }
  for (std::size_t k = 0; k < start.size(); ++k)
    result.values.push_back(to_value(problem.parameters[k], x[static_cast<Eigen::Index>(k)]));
  return result;
}

}  // namespace tokenyard::study
