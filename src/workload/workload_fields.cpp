// The keys of a workload file.
#include <algorithm>
#include <array>

#include "workload/kind_rules.hpp"
#include "workload/workload.hpp"

namespace tokenyard::workload {
namespace {

using input::Fields;
using input::name_of;

constexpr double kMostDealt = 1e6;  // tenants or adapters

constexpr unsigned kPoisson = kind_bit(GeneratorKind::poisson);
constexpr unsigned kGamma = kind_bit(GeneratorKind::gamma);
constexpr unsigned kFixed = kind_bit(GeneratorKind::fixed_concurrency);
constexpr unsigned kAgents = kind_bit(GeneratorKind::agents);
constexpr unsigned kDiurnal = kind_bit(GeneratorKind::diurnal);
constexpr unsigned kMmpp = kind_bit(GeneratorKind::mmpp);
constexpr unsigned kIndependent = kPoisson | kGamma | kFixed | kDiurnal | kMmpp;

// What agents need and accept of these depends on their `arrivals`.
constexpr auto kGeneratorRules = std::to_array<KindRule>({
    {"rate", kPoisson | kGamma | kDiurnal, kPoisson | kGamma | kDiurnal | kAgents, "2 /s"},
    {"cv", kGamma, kGamma | kDiurnal | kAgents, "2.5"},
    {"peak_to_mean", kDiurnal, kDiurnal | kAgents, "1.6"},
    {"period", 0, kDiurnal | kAgents, ""},
    {"peak_at", 0, kDiurnal | kAgents, ""},
    {"rates", kMmpp, kMmpp | kAgents, "[1 /s, 10 /s]"},
    {"dwell", kMmpp, kMmpp | kAgents, "[5 min, 30 s]"},
    {"arrivals", 0, kAgents, ""},
    {"concurrency", kFixed, kFixed, "64"},
    {"input", kIndependent, kIndependent, "1000"},
    {"output", kIndependent | kAgents, kIndependent | kAgents, "200"},
    {"agents", kAgents, kAgents, ""},
});

constexpr unsigned kByPoisson = kind_bit(ArrivalKind::poisson);
constexpr unsigned kByGamma = kind_bit(ArrivalKind::gamma);
constexpr unsigned kByDiurnal = kind_bit(ArrivalKind::diurnal);
constexpr unsigned kByMmpp = kind_bit(ArrivalKind::mmpp);

constexpr auto kArrivalRules = std::to_array<KindRule>({
    {"rate", kByPoisson | kByGamma | kByDiurnal, kByPoisson | kByGamma | kByDiurnal, "60 /h"},
    {"cv", kByGamma, kByGamma | kByDiurnal, "2.5"},
    {"peak_to_mean", kByDiurnal, kByDiurnal, "1.6"},
    {"period", 0, kByDiurnal, ""},
    {"peak_at", 0, kByDiurnal, ""},
    {"rates", kByMmpp, kByMmpp, "[20 /h, 200 /h]"},
    {"dwell", kByMmpp, kByMmpp, "[50 min, 10 min]"},
});

void check_kinds(Fields& f, const GeneratorSpec& x) {
  if (!kind_was_read(f, x.kind)) return;
  check_kind_rules(f, named_kind(x.kind), kind_bit(x.kind), kGeneratorRules);
  if (x.kind != GeneratorKind::agents) return;
  if (!f.has("arrivals")) {
    check_kind_rules(f, named_kind(x.kind), kind_bit(x.arrivals), kArrivalRules);
  } else if (f.node().find("arrivals")->scalar == name_of(x.arrivals)) {
    check_kind_rules(f, "arrivals '" + std::string(name_of(x.arrivals)) + "'", kind_bit(x.arrivals),
                     kArrivalRules);
  }
}

void check_states(Fields& f, const GeneratorSpec& x) {
  if (f.has("rates")) {
    if (x.rates.size() != 2) {
      f.problem("rates", "a list of " + std::to_string(x.rates.size()) +
                             " stands here; expected two rates, such as '[1 /s, 10 /s]'");
    } else if (std::min(x.rates[0], x.rates[1]) < PerSecond() ||
               x.rates[0] + x.rates[1] == PerSecond()) {
      f.problem("rates", "expected two rates of at least 0, and one of them above it");
    }
  }
  if (!f.has("dwell")) return;
  if (x.dwell.size() != 2) {
    f.problem("dwell", "a list of " + std::to_string(x.dwell.size()) +
                           " stands here; expected two times, such as '[5 min, 30 s]'");
  } else if (std::min(x.dwell[0], x.dwell[1]) <= Seconds()) {
    f.problem("dwell", "expected two times above 0");
  }
}

}  // namespace

void describe(Fields& f, TraceSpec& x) {
  f.required("file", x.file,
             "the trace, beside this file, in the catalog's folder or in $TOKENYARD_DATA");
  f.optional("format", x.format, "native, mooncake, azure or coding-agents");
  f.optional("time_scale", x.time_scale, "multiplies arrival times; 2 halves the rate")
      .more_than(0);
  f.optional("limit", x.limit, "read no more than this many requests; coding-agents: sessions")
      .at_least(1);
  f.optional("skip_bad_lines", x.skip_bad_lines,
             "count malformed lines instead of stopping at the first");
  f.optional("sessions_per_hour", x.sessions_per_hour,
             "coding-agents: sessions start as a Poisson process")
      .more_than(0);
  f.optional("concurrent_sessions", x.concurrent_sessions,
             "coding-agents: so many sessions are at work at any time, their waits included")
      .at_least(1);
  if (!f.is_reading()) return;
  const bool is_agents = x.format == TraceFormat::coding_agents;
  int given = 0;
  for (const char* key : {"sessions_per_hour", "concurrent_sessions"}) {
    if (!f.has(key)) continue;
    ++given;
    if (is_agents) continue;
    f.problem(key, "'" + std::string(key) + "' has no effect with format '" +
                       std::string(name_of(x.format)) + "', which holds arrival times");
  }
  if (is_agents && given != 1) {
    f.problem("",
              "format 'coding-agents' needs one of 'sessions_per_hour' and "
              "'concurrent_sessions': the trace holds no session arrivals");
  }
}

void describe(Fields& f, GeneratorSpec& x) {
  f.required("kind", x.kind, "poisson, gamma, diurnal, mmpp, fixed-concurrency or agents");
  f.optional("arrivals", x.arrivals,
             "agents: how sessions arrive, poisson, gamma, diurnal or mmpp");
  f.optional("rate", x.rate, "requests per time; agents: sessions per time").more_than(0);
  f.optional(
       "cv", x.cv,
       "gamma, diurnal: coefficient of variation of the gaps; above 1 is burstier than Poisson")
      .at_least(0.01)
      .at_most(100);
  f.optional("peak_to_mean", x.peak_to_mean, "diurnal: the highest rate over 'rate', the mean one")
      .at_least(1)
      .at_most(2);
  f.optional("period", x.period, "diurnal: after so long it begins anew").more_than(0);
  f.optional("peak_at", x.peak_at, "diurnal: time of the highest rate; default: half a period")
      .at_least(0);
  f.optional("rates", x.rates, "mmpp: rates of the two states");
  f.optional("dwell", x.dwell, "mmpp: mean times in the two states");
  f.optional("concurrency", x.concurrency, "fixed-concurrency: requests kept in flight")
      .at_least(1);
  f.optional("input", x.input, "prompt tokens of a request");
  f.optional("output", x.output, "output tokens of a request");
  f.optional("requests", x.requests, "stop after this many; agents: sessions").at_least(1);
  f.optional("agents", x.agents, "the shape of agent sessions");
  f.optional("patience", x.patience, "a client leaves that has no first token after so long");
  f.optional("tenants", x.tenants, "so many share the requests; agents: the sessions")
      .at_least(1)
      .at_most(kMostDealt);
  f.optional("tenant_skew", x.tenant_skew, "the k-th tenant's share is as 1 / k^this; 0: equal")
      .at_least(0)
      .at_most(10);
  f.optional("adapters", x.adapters,
             "so many LoRA adapters share the requests; agents: the sessions")
      .at_least(1)
      .at_most(kMostDealt);
  f.optional("adapter_skew", x.adapter_skew, "the k-th adapter's share is as 1 / k^this; 0: equal")
      .at_least(0)
      .at_most(10);
  f.optional("class", x.request_class, "name of the request class in the results");
  if (!f.is_reading()) return;
  check_kinds(f, x);
  check_states(f, x);
  for (const std::string key : {"tenant", "adapter"}) {
    if (f.has(key + "_skew") && !f.has(key + "s"))
      f.problem(key + "_skew", "has no effect without '" + key + "s'");
  }
  if (x.patience && x.patience->kind == TimeKind::fixed && x.patience->value <= Seconds())
    f.problem("patience", "is not more than 0 s; nobody would be served");
  if (x.request_class.empty()) f.problem("class", "the name is empty");
}

void describe(Fields& f, WorkloadSpec& x) {
  f.optional("name", x.name, "how results refer to this workload");
  f.optional("description", x.description, "one line");
  f.optional("source", x.source,
             "origin and licence of the numbers; of a trace also where to get it");
  f.optional("trace", x.trace, "requests read from a file");
  f.optional("generator", x.generator, "requests made at random");
  if (f.is_reading() && f.has("trace") == f.has("generator")) {
    f.problem(f.has("trace") ? "generator" : "", "a workload is one of 'trace' and 'generator'");
  }
}

}  // namespace tokenyard::workload
