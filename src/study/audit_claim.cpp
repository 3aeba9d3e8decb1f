#include "study/audit_claim.hpp"

#include <algorithm>
#include <cmath>

#include "base/quantity_text.hpp"
#include "metrics/metric_table.hpp"

namespace tokenyard::study {
namespace {

using formula::FormulaError;
using formula::UnknownValue;
using formula::Value;
using scenario::ExpectSpec;

Ends ends_of(const scenario::Span& span) {
  Ends ends;
  for (const scenario::AnyNumber& end : span.ends) ends.push_back(end.number);
  return ends;
}

// In the unit that the claim is written in, which a metric's need not have.
std::string text_of_ends(const Ends& ends, const scenario::Span& claimed,
                         const metrics::MetricInfo* metric) {
  std::string text;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    const scenario::AnyNumber& written = claimed.ends[std::min(i, claimed.ends.size() - 1)];
    text += text.empty() ? "" : " to ";
    text += metric != nullptr && written.unit.empty()
                ? metrics::format_metric(*metric, ends[i])
                : quantity_in(ends[i], written.unit, written.scale);
  }
  return text;
}

std::string assumptions_text(const ExpectSpec& claim) {
  std::string text;
  for (const auto& [name, assumed] : claim.assuming) {
    text += (text.empty() ? "" : "; ") + name + " = " +
            quantity_in(assumed.value.number, assumed.value.unit, assumed.value.scale) + ": " +
            assumed.why;
  }
  return text;
}

std::string because(const Judgement& judgement, const ExpectSpec& claim, const Evidence& evidence,
                    const std::string& compared) {
  switch (judgement.verdict) {
    case Verdict::impossible: {
      const bool above = evidence.at_most && judgement.compared.front() == *evidence.at_most;
      return (above ? "at most " + compared + " is possible: "
                    : "at least " + compared + " is needed: ") +
             claim.bound->which;
    }
    case Verdict::needs_an_assumption:
      return assumptions_text(claim);
    case Verdict::inconsistent:
      if (judgement.with != nullptr) return "with " + judgement.with->what;
      if (claim.metric) return "with the simulation";
      if (!evidence.plain.empty()) return "with our arithmetic";
      return "with our arithmetic, even with " + assumptions_text(claim);
    case Verdict::model_is_off:
      return "our simulation does not reproduce the measurement";
    case Verdict::holds:
      break;
  }
  return "";
}

AuditRow row_of(const scenario::Plan& plan, const ExpectSpec& claim, const Evidence& evidence,
                const Judgement& judgement) {
  const metrics::MetricInfo* metric = claim.metric ? metrics::find_metric(*claim.metric) : nullptr;
  AuditRow row;
  row.scenario = plan.scenario.name + (plan.variant.empty() ? "" : " (" + plan.variant + ')');
  row.id = claim.id.empty() ? *claim.metric : claim.id;
  row.claim = claim.claim;
  row.source = !claim.source.empty()           ? claim.source
               : !plan.scenario.source.empty() ? plan.scenario.source
                                               : plan.scenario.name;
  row.claimed = evidence.claimed;
  row.compared = judgement.compared;
  row.claimed_text = text_of_ends(row.claimed, claim.value, metric);
  row.compared_text = text_of_ends(row.compared, claim.value, metric);
  row.tolerance = claim.tolerance;
  if (row.claimed.size() == 1 && row.compared.size() == 1 && row.claimed.front() != 0.0)
    row.ratio = row.compared.front() / row.claimed.front();
  row.verdict = judgement.verdict;
  row.because = because(judgement, claim, evidence, row.compared_text);
  row.note = claim.note;
  return row;
}

}  // namespace

ClaimChecker::ClaimChecker(const PoolModels& pools, catalog::Catalog& catalog,
                           Diagnostics& diagnostics,
                           const std::vector<metrics::MetricValue>* metrics)
    : pools_(pools),
      diagnostics_(diagnostics),
      setting_{catalog, diagnostics, pools, trail_, metrics},
      plain_(setting_, pools.plan().scenario.given, nothing_assumed_) {}

void ClaimChecker::check_givens() {
  for (const auto& [name, given] : pools_.plan().scenario.given)
    static_cast<void>(plain_.variable(name));
}

ClaimChecker::Result ClaimChecker::evaluate(const scenario::FormulaSpan& span,
                                            const formula::Scope& scope, Dim dim) {
  Result result;
  for (const scenario::FormulaText& text : span.ends) {
    try {
      const Value value = formula::Formula::parse(text.text).evaluate(scope);
      if (!(value.dim == dim)) {
        throw FormulaError("comes to " + formula::to_text(value) + ", " + name_dim(value.dim) +
                           "; the claim is " + name_dim(dim));
      }
      result.ends.push_back(value.number);
    } catch (const FormulaError& error) {
      report_formula(diagnostics_, text, error);
      wrong_ = true;
    } catch (const UnknownValue& unknown) {
      result.unknown = unknown.what();
      result.unknown_in = &text;
    }
  }
  if (result.ends.size() != span.ends.size()) result.ends.clear();
  if (result.ends.size() == 2 && result.ends.front() > result.ends.back()) {
    report_formula(diagnostics_, span.ends.back(),
                   FormulaError("comes to " + formula::to_text({result.ends.back(), dim}) +
                                ", less than the lower end of the range, " +
                                formula::to_text({result.ends.front(), dim})));
    wrong_ = true;
  }
  return result;
}

Ends ClaimChecker::known_ends(const scenario::FormulaSpan& span, Dim dim) {
  const Result result = evaluate(span, plain_, dim);
  if (!result.ends.empty()) return result.ends;
  const bool may_become_known = trail_.metric_asked && setting_.metrics == nullptr;
  if (!result.unknown.empty() && !may_become_known && !trail_.wrong_given)
    report_formula(diagnostics_, *result.unknown_in, FormulaError(result.unknown));
  wrong_ = true;
  return {};
}

std::optional<double> ClaimChecker::known(const std::optional<scenario::FormulaText>& formula,
                                          Dim dim) {
  if (!formula) return std::nullopt;
  const Ends ends = known_ends({{*formula}}, dim);
  return ends.empty() ? std::nullopt : std::optional(ends.front());
}

// The bound and the other statements: they must be known, or they would say nothing.
void ClaimChecker::gather_known(const ExpectSpec& claim, Dim dim, Evidence& evidence) {
  if (claim.bound) {
    evidence.at_most = known(claim.bound->at_most, dim);
    evidence.at_least = known(claim.bound->at_least, dim);
  }
  for (const scenario::Against& other : claim.against) {
    OtherStatement statement{{}, other.what, other.tolerance.value_or(claim.tolerance)};
    statement.comes_to = known_ends(other.compute, dim);
    evidence.against.push_back(std::move(statement));
  }
}

void ClaimChecker::gather_computed(const ExpectSpec& claim, Dim dim, Evidence& evidence,
                                   std::string& unknown) {
  evidence.has_compute = !claim.compute.ends.empty();
  const Result plain = evaluate(claim.compute, plain_, dim);
  evidence.plain = plain.ends;
  unknown = plain.unknown;
  if (claim.assuming.empty()) return;
  const ClaimScope scope(setting_, pools_.plan().scenario.given, claim.assuming);
  const Result assumed = evaluate(claim.compute, scope, dim);
  evidence.assumed = assumed.ends;
  if (!assumed.unknown.empty()) unknown = assumed.unknown;
}

void ClaimChecker::gather_metric(const ExpectSpec& claim, Evidence& evidence) {
  const metrics::MetricInfo* info = metrics::find_metric(*claim.metric);
  const auto refuse = [&](const std::string& message) {
    diagnostics_.add(claim.where, claim.path + ".metric", message);
    wrong_ = true;
  };
  if (info == nullptr) {
    refuse("'" + *claim.metric + "' is no metric" + metrics::metric_suggestion(*claim.metric));
    return;
  }
  const Dim dim = claim.value.ends.front().dim;
  if (!(dim == kNone) && !(dim == info->dim)) {
    refuse("'" + info->name + "' is " + name_dim(info->dim) + "; the claim is " + name_dim(dim));
    return;
  }
  evidence.has_compute = true;
  evidence.measured = claim.measured;
  if (!pools_.plan().scenario.simulated) {
    refuse("a metric needs a scenario with a workload and a fleet");
  } else if (setting_.metrics == nullptr) {
    trail_.metric_asked = true;
  } else {
    for (const metrics::MetricValue& m : *setting_.metrics) {
      if (m.name == info->name && std::isfinite(m.value)) evidence.plain = {m.value};
    }
    if (evidence.plain.empty()) refuse("the simulated run does not have '" + info->name + "'");
  }
}

void ClaimChecker::check_names(const ExpectSpec& claim) {
  const auto& given = pools_.plan().scenario.given;
  std::vector<std::string> names;
  for (const auto& [name, unused] : given) names.push_back(name);
  for (const auto& [name, unused] : claim.assuming) {
    if (given.contains(name)) continue;
    diagnostics_.add(claim.where, claim.path + ".assuming." + name,
                     "no given is called " + quote_word(name) + suggestion(name, names));
    wrong_ = true;
  }
  if (claim.id.empty() && !claim.metric) {
    diagnostics_.add(claim.where, claim.path, "a claim needs an 'id'");
    wrong_ = true;
  }
}

std::optional<AuditRow> ClaimChecker::check(const ExpectSpec& claim) {
  trail_ = {};
  wrong_ = false;
  check_names(claim);
  const Dim dim = claim.value.ends.front().dim;
  Evidence evidence;
  evidence.claimed = ends_of(claim.value);
  evidence.tolerance = claim.tolerance;
  std::string unknown;
  if (claim.metric) {
    gather_metric(claim, evidence);
  } else {
    gather_computed(claim, dim, evidence, unknown);
  }
  gather_known(claim, dim, evidence);
  if (trail_.metric_asked && setting_.metrics == nullptr) {
    needs_simulation_ = true;
    return std::nullopt;
  }
  if (wrong_ || trail_.wrong_given) return std::nullopt;
  const Judgement judgement = judge(evidence);
  if (judgement.compared.empty()) {
    report_formula(diagnostics_, claim.compute.ends.front(),
                   FormulaError(unknown + "; a claim that rests on it needs 'assuming'"));
    return std::nullopt;
  }
  return row_of(pools_.plan(), claim, evidence, judgement);
}

}  // namespace tokenyard::study
