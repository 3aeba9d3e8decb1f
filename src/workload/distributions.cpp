#include "workload/distributions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tokenyard::workload {
namespace {

double log_mean(std::optional<double> median, std::optional<double> mean, double sigma) {
  check(median.has_value() || mean.has_value(), "a lognormal without median and mean");
  return median ? std::log(*median) : std::log(*mean) - 0.5 * sigma * sigma;
}

std::optional<double> base_of(const std::optional<Seconds>& time) {
  return time ? std::optional<double>(time->base()) : std::nullopt;
}

}  // namespace

LengthSampler::LengthSampler(const LengthSpec& spec, std::uint64_t seed, std::string_view name)
    : spec_(spec), random_(seed, name) {
  if (spec.kind == LengthKind::lognormal) mu_ = log_mean(spec.median, spec.mean, spec.sigma);
  check(spec.kind != LengthKind::geometric || spec.mean.has_value(),
        "a geometric length without mean");
  check(spec.kind != LengthKind::empirical || !spec.values.empty(),
        "an empirical length without values");
}

std::int64_t LengthSampler::draw() {
  switch (spec_.kind) {
    case LengthKind::fixed:
      return spec_.value;
    case LengthKind::uniform:
      return random_.integer(spec_.min, spec_.max);
    case LengthKind::lognormal: {
      const double tokens = random_.lognormal(mu_, spec_.sigma);
      // Clamped before rounding: a draw may be too large for an integer.
      return std::llround(
          std::clamp(tokens, static_cast<double>(spec_.min), static_cast<double>(spec_.max)));
    }
    case LengthKind::geometric:
      return std::clamp(random_.geometric(*spec_.mean), spec_.min, spec_.max);
    case LengthKind::empirical:
      return spec_.values[static_cast<std::size_t>(
          random_.integer(0, static_cast<std::int64_t>(spec_.values.size()) - 1))];
  }
  throw InternalError("unknown kind of length");
}

TimeSampler::TimeSampler(const TimeSpec& spec, std::uint64_t seed, std::string_view name)
    : spec_(spec), random_(seed, name) {
  if (spec.kind == TimeKind::lognormal)
    mu_ = log_mean(base_of(spec.median), base_of(spec.mean), spec.sigma);
  check(spec.kind != TimeKind::exponential || spec.mean.has_value(),
        "an exponential time without mean");
  if (spec.kind != TimeKind::logistic) return;
  check(spec.median.has_value() && spec.scale.has_value() != spec.p90.has_value(),
        "a logistic time is a median and one of scale and p90");
  scale_s_ = spec.scale ? spec.scale->base() : (*spec.p90 - *spec.median).base() / std::log(9.0);
}

double TimeSampler::draw_s() {
  const double min_s = spec_.min.base();
  const double max_s = spec_.max.base();
  switch (spec_.kind) {
    case TimeKind::fixed:
      return spec_.value.base();
    case TimeKind::uniform:
      return random_.uniform(min_s, max_s);
    case TimeKind::lognormal:
      return std::clamp(random_.lognormal(mu_, spec_.sigma), min_s, max_s);
    case TimeKind::exponential:
      return std::clamp(random_.exponential(spec_.mean->base()), min_s, max_s);
    case TimeKind::logistic: {
      const double below = random_.uniform();
      return std::clamp(spec_.median->base() + scale_s_ * std::log(below / (1.0 - below)), min_s,
                        max_s);
    }
  }
  throw InternalError("unknown kind of time");
}

PatienceSampler::PatienceSampler(const std::optional<TimeSpec>& spec, std::uint64_t seed) {
  if (spec) time_.emplace(*spec, seed, "patience");
}

double PatienceSampler::draw_s() {
  constexpr double kShortest_s = 1e-3;
  return time_ ? std::max(kShortest_s, time_->draw_s()) : std::numeric_limits<double>::infinity();
}

}  // namespace tokenyard::workload
