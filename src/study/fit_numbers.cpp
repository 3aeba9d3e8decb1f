#include "study/fit_numbers.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

namespace tokenyard::study {
namespace {

using catalog::CalibratedDevice;
using catalog::Calibration;
using catalog::Engine;
using catalog::Link;
using catalog::Sourced;

constexpr double kComputeWidth = 0.05;
constexpr double kHostWidth = 0.48;
// Stands for every format that has no share of its own.
constexpr const char* kAnyFormat = "bf16";

template <class T>
Sourced<T> sourced(const FittedValue& v) {
  const auto unit = [](double base) {
    if constexpr (std::is_same_v<T, double>) {
      return base;
    } else {
      return T::from_base(base);
    }
  };
  Sourced<T> s(unit(v.value));
  if (v.low) s.low = unit(*v.low);
  if (v.high) s.high = unit(*v.high);
  return s;
}

// One number of a device other than compute.
struct Kind {
  const char* name;
  Dim dim;
  double width;
  double usual;  // expected where the catalog has nothing
  double (*standing)(const Engine&, const Link*);
  bool (*concerns)(const FitCase&);
  void (*set)(CalibratedDevice&, const FittedValue&);
};

bool any_case(const FitCase&) {
  return true;
}
bool crosses_link(const FitCase& c) {
  return !c.link.empty();
}

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kKinds{
      {"experts", kNone, 0.18, 0.5,
       [](const Engine& e, const Link*) { return e.efficiency.experts.value; },
       [](const FitCase& c) { return c.has_experts; },
       [](CalibratedDevice& d, const FittedValue& v) { d.experts = sourced<double>(v); }},
      {"bandwidth", kNone, 0.06, 0.8,
       [](const Engine& e, const Link*) { return e.efficiency.decode.value; }, any_case,
       [](CalibratedDevice& d, const FittedValue& v) { d.bandwidth = sourced<double>(v); }},
      {"kv_bandwidth", kNone, 0.09, 0.7,
       [](const Engine& e, const Link*) { return e.efficiency.attention_decode.value; }, any_case,
       [](CalibratedDevice& d, const FittedValue& v) { d.kv_bandwidth = sourced<double>(v); }},
      {"launch", kTime, 0.30, 4e-6,
       [](const Engine& e, const Link*) { return e.launch_overhead.value.base(); }, any_case,
       [](CalibratedDevice& d, const FittedValue& v) { d.launch = sourced<Seconds>(v); }},
      {"collective_latency", kTime, 0.30, 10e-6,
       [](const Engine&, const Link* l) { return l->collective_latency.value.base(); },
       crosses_link,
       [](CalibratedDevice& d, const FittedValue& v) {
         d.collective_latency = sourced<Seconds>(v);
       }},
      {"link_efficiency", kNone, 0.12, 0.8,
       [](const Engine&, const Link* l) { return l->efficiency.value; }, crosses_link,
       [](CalibratedDevice& d, const FittedValue& v) { d.link_efficiency = sourced<double>(v); }}};
  return kKinds;
}

FitParameter parameter(const std::string& name, Dim dim, double expected, double width) {
  FitParameter p{.name = name, .expected = expected, .width = width};
  if (dim == kNone) p.limit = 1.0;
  return p;
}

std::vector<std::size_t> cases_of(const std::vector<FitCase>& cases, const std::string& device,
                                  const std::function<bool(const FitCase&)>& concerned) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (cases[i].device == device && concerned(cases[i])) found.push_back(i);
  }
  return found;
}

// The device as its first case has it.
const catalog::Device& device_in(const FitCase& c) {
  const scenario::PoolPlan& pool = c.plans.front().pools.front();
  return pool.devices[pool.deployments.front().device];
}

// The formats that the cases of a device compute in, each with its share.
std::vector<FitNumber> compute_numbers(const std::vector<FitCase>& cases, const std::string& device,
                                       const Engine& engine, std::size_t at) {
  std::set<std::string> formats;
  for (const FitCase& c : cases) {
    if (c.device == device) formats.insert(c.formats.begin(), c.formats.end());
  }
  std::vector<FitNumber> numbers;
  for (const std::string& format : formats) {
    FitNumber n;
    n.device = device;
    n.name = "compute." + format;
    const auto stated = engine.efficiency.prefill_by_format.find(format);
    n.standing = stated != engine.efficiency.prefill_by_format.end()
                     ? stated->second.value
                     : engine.efficiency.prefill.value;
    n.parameter = parameter(n.name, kNone, n.standing, kComputeWidth);
    n.cases = cases_of(cases, device, [&](const FitCase& c) { return c.formats.contains(format); });
    n.set = [at, format](Calibration& c, const FittedValue& v) {
      c.devices[at].compute[format] = sourced<double>(v);
    };
    numbers.push_back(std::move(n));
  }
  return numbers;
}

// Leaves the most that may be fitted: those that most cases depend on, in the same order.
void keep_most(std::vector<FitNumber>& numbers) {
  while (numbers.size() > catalog::kMostFitted) {
    const auto fewest = std::min_element(
        numbers.begin(), numbers.end(),
        [](const FitNumber& a, const FitNumber& b) { return a.cases.size() < b.cases.size(); });
    const FitNumber dropped = std::move(*fewest);
    numbers.erase(fewest);
    if (!dropped.name.starts_with("compute.")) continue;
    // A format without a share of its own follows this one's.
    for (FitNumber& n : numbers) {
      if (n.name != std::string("compute.") + kAnyFormat) continue;
      std::vector<std::size_t> both;
      std::set_union(n.cases.begin(), n.cases.end(), dropped.cases.begin(), dropped.cases.end(),
                     std::back_inserter(both));
      n.cases = std::move(both);
    }
  }
}

}  // namespace

FitNumbers::FitNumbers(const std::vector<FitCase>& cases) {
  std::set<std::string> devices;
  for (const FitCase& c : cases) devices.insert(c.device);
  for (const std::string& device : devices) add_device(cases, device);
  if (!cases.empty()) add_host(cases);
}

void FitNumbers::add_device(const std::vector<FitCase>& cases, const std::string& device) {
  const std::size_t at = frame_.devices.size();
  const std::vector<std::size_t> own = cases_of(cases, device, any_case);
  const catalog::Device& entry = device_in(cases[own.front()]);
  const Engine& engine = entry.engines.front();
  CalibratedDevice& frame = frame_.devices.emplace_back();
  frame.device = device;
  std::set<std::string> models;
  for (const std::size_t i : own) {
    frame.measurements += static_cast<std::int64_t>(cases[i].measured.size());
    models.insert(cases[i].model);
    if (!frame.link && !cases[i].link.empty()) frame.link = cases[i].link;
  }
  frame.models.assign(models.begin(), models.end());
  const Link* link = frame.link ? entry.find_link(*frame.link) : nullptr;
  std::vector<FitNumber> numbers = compute_numbers(cases, device, engine, at);
  for (const Kind& kind : kinds()) {
    FitNumber n;
    n.device = device;
    n.name = kind.name;
    n.dim = kind.dim;
    n.cases = cases_of(cases, device, kind.concerns);
    const bool of_link = kind.concerns == crosses_link;
    if (n.cases.empty() || (of_link && link == nullptr)) continue;
    n.standing = kind.standing(engine, link);
    const bool says_nothing = n.standing <= 0.0 || (n.name == "experts" && n.standing >= 1.0);
    n.parameter = parameter(n.name, n.dim, says_nothing ? kind.usual : n.standing, kind.width);
    n.set = [at, set = kind.set](Calibration& c, const FittedValue& v) { set(c.devices[at], v); };
    numbers.push_back(std::move(n));
  }
  keep_most(numbers);
  std::move(numbers.begin(), numbers.end(), std::back_inserter(all_));
}

void FitNumbers::add_host(const std::vector<FitCase>& cases) {
  using catalog::CalibratedHost;
  struct HostKind {
    const char* name;
    double standing;
    double usual;
    std::optional<Sourced<Seconds>> CalibratedHost::*number;
  };
  const scenario::HostOverhead& host = cases.front().plans.front().scenario.serving.host;
  const Engine& engine = device_in(cases.front()).engines.front();
  std::vector<std::size_t> every(cases.size());
  std::iota(every.begin(), every.end(), std::size_t{0});
  for (const HostKind& kind :
       {HostKind{"per_step", host.per_step.base(), 0.5e-3, &CalibratedHost::per_step},
        HostKind{"per_sequence", host.per_sequence.base(), 5e-6, &CalibratedHost::per_sequence},
        HostKind{"per_request", host.per_request.base(), 30e-3, &CalibratedHost::per_request},
        HostKind{"prompt_layer", engine.prompt_layer_latency.value.base(), 0.5e-3,
                 &CalibratedHost::prompt_layer}}) {
    FitNumber n;
    n.name = kind.name;
    n.dim = kTime;
    n.standing = kind.standing;
    n.cases = every;
    n.parameter =
        parameter(n.name, kTime, kind.standing > 0.0 ? kind.standing : kind.usual, kHostWidth);
    n.set = [number = kind.number](Calibration& c, const FittedValue& v) {
      c.host.*number = sourced<Seconds>(v);
    };
    all_.push_back(std::move(n));
  }
}

std::vector<double> FitNumbers::expected() const {
  std::vector<double> values;
  for (const FitNumber& n : all_) values.push_back(n.parameter.expected);
  return values;
}

Calibration FitNumbers::calibration(const std::vector<FittedValue>& values) const {
  check(values.size() == all_.size(), "a calibration needs a value for each number");
  Calibration c = frame_;
  for (std::size_t k = 0; k < values.size(); ++k) all_[k].set(c, values[k]);
  return c;
}

Calibration FitNumbers::calibration(const std::vector<double>& values) const {
  std::vector<FittedValue> fitted;
  for (const double value : values) fitted.push_back({.value = value, .low = {}, .high = {}});
  return calibration(fitted);
}

}  // namespace tokenyard::study
