#include "study/audit_judge.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace tokenyard::study {
namespace {

constexpr double kRounding = 1e-9;

double margin(double claimed, double tolerance) {
  return std::abs(claimed) * (tolerance + kRounding);
}

bool close(double claimed, double computed, double tolerance) {
  return std::abs(claimed - computed) <= margin(claimed, tolerance);
}

bool breaks_bound(const Evidence& e) {
  return std::any_of(e.claimed.begin(), e.claimed.end(), [&](double end) {
    return (e.at_most && end > *e.at_most + margin(end, 0.0)) ||
           (e.at_least && end < *e.at_least - margin(end, 0.0));
  });
}

Ends bound_of(const Evidence& e) {
  const bool above = e.at_most && e.claimed.back() > *e.at_most;
  return {above ? *e.at_most : e.at_least.value_or(e.at_most.value_or(0.0))};
}

}  // namespace

bool agrees(const Ends& claimed, const Ends& computed, double tolerance) {
  check(!claimed.empty(), "a claim without a value is judged");
  if (computed.empty()) return false;
  if (claimed.size() == 1) {
    return std::all_of(computed.begin(), computed.end(),
                       [&](double end) { return close(claimed.front(), end, tolerance); });
  }
  if (computed.size() == 1) {
    return computed.front() >= claimed.front() - margin(claimed.front(), tolerance) &&
           computed.front() <= claimed.back() + margin(claimed.back(), tolerance);
  }
  return close(claimed.front(), computed.front(), tolerance) &&
         close(claimed.back(), computed.back(), tolerance);
}

Judgement judge(const Evidence& e) {
  if (e.measured) {
    const bool reproduced = agrees(e.claimed, e.plain, e.tolerance);
    return {reproduced ? Verdict::holds : Verdict::model_is_off, e.plain, nullptr};
  }
  if (breaks_bound(e)) return {Verdict::impossible, bound_of(e), nullptr};
  for (const OtherStatement& other : e.against) {
    if (!agrees(e.claimed, other.comes_to, other.tolerance))
      return {Verdict::inconsistent, other.comes_to, &other};
  }
  if (!e.has_compute) {
    if (!e.against.empty()) return {Verdict::holds, e.against.front().comes_to, nullptr};
    return {Verdict::holds, bound_of(e), nullptr};
  }
  if (agrees(e.claimed, e.plain, e.tolerance)) return {Verdict::holds, e.plain, nullptr};
  if (agrees(e.claimed, e.assumed, e.tolerance))
    return {Verdict::needs_an_assumption, e.assumed, nullptr};
  return {Verdict::inconsistent, e.plain.empty() ? e.assumed : e.plain, nullptr};
}

}  // namespace tokenyard::study
