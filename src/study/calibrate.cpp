#include "study/calibrate.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>

#include "base/hash.hpp"
#include "study/case_runs.hpp"
#include "study/error_stats.hpp"
#include "study/parallel.hpp"

namespace tokenyard::study {
namespace {

using Indices = std::vector<std::size_t>;
using Predictions = CaseRuns::Predictions;

constexpr double kTokenScale = 0.10;    // of the logarithm, times between tokens
constexpr double kRequestScale = 0.25;  // times that begin with a request
constexpr double kNearLimit = 0.99;     // of its limit, a number stands at it

double scale_of(const std::string& metric) {
  const bool between_tokens = metric.starts_with("tpot_") || metric.starts_with("itl_");
  return between_tokens ? kTokenScale : kRequestScale;
}

// To three digits of a unit of `scale` base units: more than a fit knows would only look as if it
// did.  Text of the unit reads back as the same number.
double rounded(double value, double scale) {
  constexpr int kDigits = 3;
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value / scale,
                                 std::chars_format::general, kDigits);
  std::from_chars(text.data(), end.ptr, value);
  return value * scale;
}

// Times in the unit that a calibration's file has them in.
double rounded(double value, Dim dim) {
  if (dim != kTime || value >= 1.0) return rounded(value, 1.0);
  return rounded(value, value >= 1e-4 ? 1e-3 : 1e-6);
}

// By the id alone: the same fold in every file and on every machine.
std::size_t fold_of(const std::string& id) {
  constexpr std::size_t kDigits = 8;
  const std::string hash = sha256_text(id);
  std::uint32_t number = 0;
  std::from_chars(hash.data(), hash.data() + kDigits, number, 16);
  return number % kFolds;
}

// Parts of the cases that are left out, one after another.
std::vector<Indices> by_fold(const std::vector<FitCase>& cases) {
  std::vector<Indices> parts(kFolds);
  for (std::size_t i = 0; i < cases.size(); ++i) parts[fold_of(cases[i].id)].push_back(i);
  std::erase_if(parts, [](const Indices& part) { return part.empty(); });
  return parts;
}

std::vector<Indices> by_model(const std::vector<FitCase>& cases) {
  std::map<std::string, Indices> parts;
  for (std::size_t i = 0; i < cases.size(); ++i) parts[cases[i].model].push_back(i);
  std::vector<Indices> all;
  for (auto& [model, part] : parts) all.push_back(std::move(part));
  return all;
}

Indices all_but(const Indices& part, std::size_t count) {
  Indices rest;
  for (std::size_t i = 0; i < count; ++i) {
    if (!std::binary_search(part.begin(), part.end(), i)) rest.push_back(i);
  }
  return rest;
}

// Cases in both, both ascending.
Indices common(const Indices& a, const Indices& b) {
  Indices both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

// What is predicted of all cases, each part by a fit without it; absent with fewer than two parts.
struct HeldOut {
  std::optional<Predictions> predictions;
  std::vector<std::vector<double>> values;  // of the fits
};

// One calibration under way.
class Study {
 public:
  Study(const FitCases& given, const CalibrateOptions& options)
      : options_(&options),
        numbers_(given.cases),
        runs_(given.cases, numbers_, options.jobs, options.interrupted),
        folds_(by_fold(given.cases)),
        models_(by_model(given.cases)) {
    progress_.fits = 1;
    for (const auto* parts : {&folds_, &models_}) {
      if (parts->size() > 1) progress_.fits += parts->size();
    }
  }

  // before: the predictions of the catalog's own numbers.
  CalibrationStudy run(const Predictions& before) {
    Indices every(runs_.cases().size());
    std::iota(every.begin(), every.end(), std::size_t{0});
    std::vector<double> values = fit(every, options_->fit);
    for (std::size_t k = 0; k < values.size(); ++k)
      values[k] = rounded(values[k], numbers_.all()[k].dim);
    Predictions after(every.size());
    runs_.predict(values, every, after);
    const HeldOut folds = hold_out(folds_);
    const HeldOut models = hold_out(models_);
    CalibrationStudy study;
    add_numbers(study, values, models.values);
    const auto errors = [&](const Indices& which) {
      return errors_of(which, before, after, folds, models);
    };
    study.calibration.errors = errors(every);
    for (catalog::CalibratedDevice& d : study.calibration.devices)
      d.errors = errors(cases_on(d.device));
    study.cases = static_cast<std::int64_t>(every.size());
    for (const FitCase& c : runs_.cases()) {
      for (const Measurement& m : c.measured) ++study.measurements[m.where.file];
    }
    study.runs = progress_.runs;
    return study;
  }

 private:
  void tell() {
    progress_.runs = static_cast<std::int64_t>(runs_.cases().size()) + runs_.runs();
    if (options_->on_progress) options_->on_progress(progress_);
  }

  std::vector<double> fit(const Indices& which, const FitOptions& how) {
    std::vector<double> values = fit_to(runs_, which, how, [this] { tell(); });
    ++progress_.fits_done;
    tell();
    return values;
  }

  HeldOut hold_out(const std::vector<Indices>& parts) {
    HeldOut held;
    if (parts.size() < 2) return held;
    held.predictions.emplace(runs_.cases().size());
    for (const Indices& part : parts) {
      held.values.push_back(fit(all_but(part, runs_.cases().size()), options_->held_out));
      runs_.predict(held.values.back(), part, *held.predictions);
    }
    return held;
  }

  [[nodiscard]] Indices cases_on(const std::string& device) const {
    Indices own;
    for (std::size_t i = 0; i < runs_.cases().size(); ++i) {
      if (runs_.cases()[i].device == device) own.push_back(i);
    }
    return own;
  }

  void add_numbers(CalibrationStudy& study, const std::vector<double>& values,
                   const std::vector<std::vector<double>>& spread) const {
    std::vector<FittedValue> fitted;
    for (std::size_t k = 0; k < values.size(); ++k) {
      const FitNumber& n = numbers_.all()[k];
      FittedValue v{.value = values[k], .low = {}, .high = {}};
      for (const std::vector<double>& other : spread) {
        const double value = rounded(other[k], n.dim);
        v.low = std::min(v.low.value_or(v.value), value);
        v.high = std::max(v.high.value_or(v.value), value);
      }
      fitted.push_back(v);
      study.numbers.push_back({.device = n.device,
                               .name = n.name,
                               .dim = n.dim,
                               .standing = n.standing,
                               .fitted = v,
                               .at_limit = v.value > kNearLimit * n.parameter.limit,
                               .cases = n.cases.size()});
    }
    study.calibration = numbers_.calibration(fitted);
  }

  [[nodiscard]] catalog::ErrorBand band_of(const std::string& metric, const Indices& which,
                                           const Predictions& predictions) const {
    std::vector<ValidationPoint> points;
    for (const std::size_t at : which) {
      const std::vector<Measurement>& measured = runs_.cases()[at].measured;
      for (std::size_t m = 0; m < measured.size(); ++m) {
        if (measured[m].metric != metric) continue;
        ValidationPoint& p = points.emplace_back();
        p.measured = measured[m];
        p.predicted = predictions[at][m];
      }
    }
    std::vector<const ValidationPoint*> pointers;
    for (const ValidationPoint& p : points) pointers.push_back(&p);
    const ErrorStats stats = error_stats(pointers);
    constexpr double kPercent = 0.01;
    return {.median = rounded(*stats.median, kPercent), .p90 = rounded(*stats.p90, kPercent)};
  }

  [[nodiscard]] std::vector<catalog::CalibrationError> errors_of(const Indices& which,
                                                                 const Predictions& before,
                                                                 const Predictions& after,
                                                                 const HeldOut& folds,
                                                                 const HeldOut& models) const {
    std::map<std::string, std::int64_t> metrics;
    for (const std::size_t at : which) {
      for (const Measurement& m : runs_.cases()[at].measured) ++metrics[m.metric];
    }
    std::vector<catalog::CalibrationError> errors;
    for (const auto& [metric, measurements] : metrics) {
      catalog::CalibrationError& e = errors.emplace_back();
      e.metric = metric;
      e.measurements = measurements;
      e.uncalibrated = band_of(metric, which, before);
      e.fitted = band_of(metric, which, after);
      if (folds.predictions) e.five_fold = band_of(metric, which, *folds.predictions);
      if (models.predictions) e.leave_one_model_out = band_of(metric, which, *models.predictions);
    }
    return errors;
  }

  const CalibrateOptions* options_;
  FitNumbers numbers_;
  CaseRuns runs_;
  std::vector<Indices> folds_, models_;
  FitProgress progress_;
};

// The predictions of the catalog's own numbers.  Takes out the cases that have none: requests are
// turned away, or a run does not have the metric.
Predictions first_runs(FitCases& given, const CalibrateOptions& options) {
  Predictions all(given.cases.size());
  std::vector<std::string> problems(given.cases.size());
  in_parallel(given.cases.size(), options.jobs, [&](std::size_t at) {
    if (options.interrupted && options.interrupted()) throw CaseRuns::Interrupted{};
    const FitCase& c = given.cases[at];
    try {
      all[at] = predicted(c, {});
    } catch (const InputError& error) {
      problems[at] = error.what();
      return;
    }
    for (std::size_t m = 0; m < all[at].size(); ++m) {
      if (!(all[at][m] > 0.0)) problems[at] = "the run has no " + c.measured[m].metric;
    }
  });
  Predictions kept;
  std::vector<FitCase> cases;
  for (std::size_t at = 0; at < all.size(); ++at) {
    if (!problems[at].empty()) {
      given.left_out.push_back({given.cases[at].id, problems[at]});
      continue;
    }
    kept.push_back(std::move(all[at]));
    cases.push_back(std::move(given.cases[at]));
  }
  given.cases = std::move(cases);
  return kept;
}

void refuse_nothing(const FitCases& given) {
  if (!given.cases.empty()) return;
  std::string text = "there is no measurement to fit to";
  if (!given.left_out.empty())
    text += "; case " + given.left_out.front().id + ": " + given.left_out.front().why;
  throw InputError(text);
}

}  // namespace

std::vector<double> fit_to(CaseRuns& runs, const std::vector<std::size_t>& which,
                           const FitOptions& options, const std::function<void()>& on_point) {
  FitProblem problem;
  for (const FitNumber& n : runs.numbers().all()) problem.parameters.push_back(n.parameter);
  const std::vector<FitCase>& cases = runs.cases();
  std::vector<std::size_t> first_residual(cases.size(), 0);
  for (const std::size_t at : which) {
    first_residual[at] = problem.residuals;
    problem.residuals += cases[at].measured.size();
  }
  Predictions predictions(cases.size());
  problem.evaluate = [&](const std::vector<double>& values, std::optional<std::size_t> only,
                         std::vector<double>& residuals) {
    const Indices moved = only ? common(which, runs.numbers().all()[*only].cases) : which;
    runs.predict(values, moved, predictions);
    for (const std::size_t at : moved) {
      const std::vector<Measurement>& measured = cases[at].measured;
      for (std::size_t m = 0; m < measured.size(); ++m) {
        residuals[first_residual[at] + m] =
            std::log(predictions[at][m] / measured[m].value) / scale_of(measured[m].metric);
      }
    }
    if (on_point) on_point();
  };
  return robust_fit(problem, runs.numbers().expected(), options).values;
}

CalibrationStudy calibrate(std::vector<MeasuredCase> measured, const CalibrateOptions& options) {
  FitCases given = fit_cases(std::move(measured));
  CalibrationStudy study;
  try {
    const Predictions before = first_runs(given, options);
    refuse_nothing(given);
    study = Study(given, options).run(before);
  } catch (const CaseRuns::Interrupted&) {
    study.interrupted = true;
  }
  study.left_out = std::move(given.left_out);
  return study;
}

}  // namespace tokenyard::study
