// How length and time distributions are written in files: short as a number, long as a map by kind.
#include <span>

#include "workload/kind_rules.hpp"
#include "workload/workload.hpp"

namespace tokenyard::workload {
namespace {

using input::Fields;
using input::name_of;

constexpr unsigned bit(LengthKind kind) {
  return kind_bit(kind);
}
constexpr unsigned bit(TimeKind kind) {
  return kind_bit(kind);
}

constexpr auto kLengthRules = std::to_array<KindRule>({
    {"value", bit(LengthKind::fixed), bit(LengthKind::fixed), "1000"},
    {"values", bit(LengthKind::empirical), bit(LengthKind::empirical), "[100, 200, 400]"},
    {"sigma", bit(LengthKind::lognormal), bit(LengthKind::lognormal), "1.2"},
    {"mean", bit(LengthKind::geometric), bit(LengthKind::geometric) | bit(LengthKind::lognormal),
     "200"},
    {"median", 0, bit(LengthKind::lognormal), ""},
    {"min", bit(LengthKind::uniform),
     bit(LengthKind::uniform) | bit(LengthKind::lognormal) | bit(LengthKind::geometric), "1"},
    {"max", bit(LengthKind::uniform),
     bit(LengthKind::uniform) | bit(LengthKind::lognormal) | bit(LengthKind::geometric), "1000"},
});

constexpr auto kTimeRules = std::to_array<KindRule>({
    {"value", bit(TimeKind::fixed), bit(TimeKind::fixed), "10 s"},
    {"sigma", bit(TimeKind::lognormal), bit(TimeKind::lognormal), "1.2"},
    {"mean", bit(TimeKind::exponential), bit(TimeKind::exponential) | bit(TimeKind::lognormal),
     "10 s"},
    {"median", bit(TimeKind::logistic), bit(TimeKind::lognormal) | bit(TimeKind::logistic), "10 s"},
    {"scale", 0, bit(TimeKind::logistic), ""},
    {"p90", 0, bit(TimeKind::logistic), ""},
    {"min", bit(TimeKind::uniform), ~bit(TimeKind::fixed), "1 s"},
    {"max", bit(TimeKind::uniform), ~bit(TimeKind::fixed), "10 s"},
});

template <class Spec>
void check_spec(Fields& f, const Spec& x, bool is_lognormal, std::span<const KindRule> rules) {
  if (!f.is_reading() || !kind_was_read(f, x.kind)) return;
  check_kind_rules(f, named_kind(x.kind), kind_bit(x.kind), rules);
  if (is_lognormal && f.has("mean") == f.has("median")) {
    f.problem("", "kind 'lognormal' needs one of 'median' and 'mean'");
  }
  if (x.max < x.min) f.problem("min", "min is above max");
}

}  // namespace

void describe(Fields& f, LengthSpec& x) {
  constexpr auto kMost = static_cast<double>(kMaxTokens);
  f.required("kind", x.kind, "fixed, uniform, lognormal, geometric or empirical");
  f.optional("value", x.value, "fixed: tokens").at_least(1).at_most(kMost);
  f.optional("mean", x.mean, "geometric, lognormal: mean before cutting to min..max")
      .at_least(1)
      .at_most(kMost);
  f.optional("median", x.median, "lognormal: median").at_least(1).at_most(kMost);
  f.optional("sigma", x.sigma, "lognormal: standard deviation of the logarithm")
      .at_least(0)
      .at_most(10);
  f.optional("min", x.min, "smallest length; shorter draws are set to it")
      .at_least(1)
      .at_most(kMost);
  f.optional("max", x.max, "largest length; longer draws are set to it").at_least(1).at_most(kMost);
  f.optional("values", x.values, "empirical: lengths, each equally likely");
  check_spec(f, x, x.kind == LengthKind::lognormal, kLengthRules);
  if (!f.is_reading()) return;
  if (x.kind == LengthKind::empirical && f.has("values") && x.values.empty()) {
    f.problem("values", "the list is empty");
  }
  for (const std::int64_t value : x.values) {
    if (value >= 1 && value <= kMaxTokens) continue;
    f.problem("values", "'" + std::to_string(value) + "' is out of range; expected 1 to " +
                            std::to_string(kMaxTokens));
  }
}

void describe(Fields& f, TimeSpec& x) {
  f.required("kind", x.kind, "fixed, uniform, lognormal, exponential or logistic");
  f.optional("value", x.value, "fixed: how long").at_least(0);
  f.optional("mean", x.mean, "exponential, lognormal: mean before cutting to min..max")
      .more_than(0);
  f.optional("median", x.median, "lognormal, logistic: median").more_than(0);
  f.optional("sigma", x.sigma, "lognormal: standard deviation of the logarithm")
      .at_least(0)
      .at_most(10);
  f.optional("scale", x.scale, "logistic: how wide, 0.46 of the way from the median to p90")
      .more_than(0);
  f.optional("p90", x.p90, "logistic, instead of scale: what nine of ten do not exceed")
      .more_than(0);
  f.optional("min", x.min, "shortest wait; shorter draws are set to it").at_least(0);
  f.optional("max", x.max, "longest wait; longer draws are set to it").at_least(0);
  check_spec(f, x, x.kind == TimeKind::lognormal, kTimeRules);
  if (!f.is_reading() || x.kind != TimeKind::logistic) return;
  if (f.has("scale") == f.has("p90")) {
    f.problem("", "kind 'logistic' needs one of 'scale' and 'p90'");
  } else if (x.p90 && x.median && *x.p90 <= *x.median) {
    f.problem("p90", "p90 is not above the median");
  }
}

}  // namespace tokenyard::workload

namespace tokenyard::input {
namespace {

using workload::LengthKind;
using workload::LengthSpec;
using workload::TimeKind;
using workload::TimeSpec;

template <class Spec>
bool read_map(ReadContext& context, const Node& node, Spec& out) {
  const std::size_t before = context.diagnostics->list().size();
  Fields fields = Fields::reading(context, node);
  describe(fields, out);
  fields.finish();
  return context.diagnostics->list().size() == before;
}

template <class Spec>
std::string short_or_long_schema(const std::string& short_form) {
  std::vector<std::string> properties;
  std::vector<std::string> required;
  Fields fields = Fields::describing(properties, required);
  Spec spec;
  describe(fields, spec);
  fields.finish();
  return R"({"anyOf":[)" + short_form + "," + object_schema(properties, required) + "]}";
}

// The keys that count for the kind, so that a dump holds nothing that has no effect.
template <class Spec, class Kind>
void write_distribution(JsonWriter& json, const Spec& spec, Kind uniform, Kind lognormal) {
  json.begin_object().key("kind").value(name_of(spec.kind));
  if (spec.kind != uniform) {
    json.key(spec.median ? "median" : "mean");
    using Center = typename decltype(spec.mean)::value_type;
    Codec<Center>::write(json, spec.median ? *spec.median : spec.mean.value_or(Center{}));
    if (spec.kind == lognormal) json.key("sigma").value(spec.sigma);
    if constexpr (requires { spec.p90; }) {
      if (spec.scale || spec.p90) {
        json.key(spec.p90 ? "p90" : "scale");
        Codec<Center>::write(json, spec.p90 ? *spec.p90 : *spec.scale);
      }
    }
  }
  using Bound = std::remove_cvref_t<decltype(spec.min)>;
  json.key("min");
  Codec<Bound>::write(json, spec.min);
  json.key("max");
  Codec<Bound>::write(json, spec.max);
  json.end_object();
}

}  // namespace

bool Codec<LengthSpec>::read(ReadContext& context, const Node& node, LengthSpec& out) {
  out = {};
  if (node.kind == Node::Kind::map) return read_map(context, node, out);
  if (!fields_detail::expect(context, node, Node::Kind::scalar,
                             "a whole number of tokens or a map with 'kind'")) {
    return false;
  }
  if (!fields_detail::read_integer(context, node, out.value)) return false;
  if (out.value >= 1 && out.value <= workload::kMaxTokens) return true;
  fields_detail::report(context, node,
                        "'" + node.scalar + "' is out of range; expected 1 to " +
                            std::to_string(workload::kMaxTokens) + " tokens");
  return false;
}

void Codec<LengthSpec>::write(JsonWriter& json, const LengthSpec& spec) {
  if (spec.kind == LengthKind::fixed) {
    json.value(spec.value);
  } else if (spec.kind == LengthKind::empirical) {
    json.begin_object().key("kind").value(name_of(spec.kind)).key("values");
    Codec<std::vector<std::int64_t>>::write(json, spec.values);
    json.end_object();
  } else {
    write_distribution(json, spec, LengthKind::uniform, LengthKind::lognormal);
  }
}

std::string Codec<LengthSpec>::schema() {
  return short_or_long_schema<LengthSpec>(Codec<std::int64_t>::schema());
}

bool Codec<TimeSpec>::read(ReadContext& context, const Node& node, TimeSpec& out) {
  out = {};
  if (node.kind == Node::Kind::map) return read_map(context, node, out);
  if (!Codec<Seconds>::read(context, node, out.value)) return false;
  if (out.value >= Seconds()) return true;
  fields_detail::report(context, node,
                        "'" + node.scalar + "' is out of range; expected at least 0 s");
  return false;
}

void Codec<TimeSpec>::write(JsonWriter& json, const TimeSpec& spec) {
  if (spec.kind == TimeKind::fixed) {
    Codec<Seconds>::write(json, spec.value);
  } else {
    write_distribution(json, spec, TimeKind::uniform, TimeKind::lognormal);
  }
}

std::string Codec<TimeSpec>::schema() {
  return short_or_long_schema<TimeSpec>(Codec<Seconds>::schema());
}

}  // namespace tokenyard::input
