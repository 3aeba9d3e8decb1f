#include "catalog/calibration.hpp"

#include <algorithm>
#include <tuple>

#include "catalog/entry.hpp"

namespace tokenyard::catalog {
namespace {

using input::Fields;

// 2026-11-23: such dates sort as text.
bool is_date(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-dd";
  if (text.size() != kForm.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kForm[i] == 'd' ? !digit : text[i] != '-') return false;
  }
  return true;
}

bool is_sha256(std::string_view text) {
  constexpr std::size_t kHexDigits = 64;
  return text.size() == kHexDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// What a fitted number rests on is the data of its file, which its reader can say better than every
// line of it.
template <class T>
void stamp(Sourced<T>& number, const std::string& source) {
  if (!number.source.empty()) return;
  number.source = source;
  number.confidence = input::Confidence::measured;
}

template <class T>
void stamp(std::optional<Sourced<T>>& number, const std::string& source) {
  if (number) stamp(*number, source);
}

void check_shares(Fields& f, const CalibratedDevice& d) {
  for (const auto& [format, share] : d.compute) {
    if (share.value > 0.0 && share.value <= 1.0) continue;
    f.problem("compute",
              format + " is " + three_digits(share.value) + "; expected more than 0 and at most 1");
  }
}

}  // namespace

const ErrorBand& CalibrationError::expected() const {
  if (leave_one_model_out) return *leave_one_model_out;
  return five_fold ? *five_fold : fitted;
}

std::size_t CalibratedDevice::fitted() const {
  std::size_t count = compute.size();
  for (const auto* share : {&experts, &bandwidth, &kv_bandwidth, &link_efficiency})
    count += share->has_value() ? 1 : 0;
  for (const auto* time : {&launch, &collective_latency}) count += time->has_value() ? 1 : 0;
  return count;
}

std::int64_t Calibration::measurements() const {
  std::int64_t all = 0;
  for (const CalibrationData& d : data) all += d.measurements;
  return all;
}

const CalibratedDevice* Calibration::find(std::string_view device) const {
  const auto found = std::find_if(devices.begin(), devices.end(),
                                  [&](const CalibratedDevice& d) { return d.device == device; });
  return found != devices.end() ? &*found : nullptr;
}

std::string Calibration::source() const {
  std::string text;
  for (const CalibrationData& d : data) text += (text.empty() ? "" : "; ") + d.source;
  return text;
}

bool is_newer(const Calibration& a, const Calibration& b) {
  return std::tie(a.date, a.name) > std::tie(b.date, b.name);
}

std::string fitted_source(std::int64_t measurements) {
  return "fitted to " + std::to_string(measurements) + " measurements, see data";
}

void name_sources(Calibration& calibration) {
  const std::string of_host = fitted_source(calibration.measurements());
  CalibratedHost& host = calibration.host;
  for (auto* time : {&host.per_step, &host.per_sequence, &host.per_request, &host.prompt_layer})
    stamp(*time, of_host);
  for (CalibratedDevice& d : calibration.devices) {
    const std::string source = fitted_source(d.measurements);
    for (auto& [format, share] : d.compute) stamp(share, source);
    for (auto* share : {&d.experts, &d.bandwidth, &d.kv_bandwidth, &d.link_efficiency})
      stamp(*share, source);
    for (auto* time : {&d.launch, &d.collective_latency}) stamp(*time, source);
  }
}

std::vector<std::string> misfits(const CalibratedDevice& calibrated, const Device& device) {
  std::vector<std::string> problems;
  const std::vector<std::string> engines = names_in(device.engines, &Engine::name);
  const auto chosen = calibrated.engine
                          ? std::find(engines.begin(), engines.end(), *calibrated.engine)
                          : engines.begin();
  if (chosen == engines.end()) {
    problems.push_back(device.name + " has no engine '" + *calibrated.engine + "'" +
                       suggestion(*calibrated.engine, engines));
    return problems;
  }
  const Engine& engine = device.engines[static_cast<std::size_t>(chosen - engines.begin())];
  std::vector<std::string> formats;
  for (const auto& [format, peak] : engine.peak) formats.push_back(format);
  for (const auto& [format, share] : calibrated.compute) {
    if (engine.peak.contains(format)) continue;
    problems.push_back("engine " + engine.name + " of " + device.name + " has no peak for '" +
                       format + "'" + suggestion(format, formats));
  }
  if (calibrated.link && device.find_link(*calibrated.link) == nullptr) {
    problems.push_back(device.name + " has no link '" + *calibrated.link + "'" +
                       suggestion(*calibrated.link, names_in(device.links, &Link::name)));
  }
  return problems;
}

void describe(Fields& f, ErrorBand& x) {
  f.required("median", x.median, "half of the measurements are off by less").at_least(0.0);
  f.required("p90", x.p90, "90 of 100 measurements are off by less").at_least(0.0);
  if (f.has("median") && f.has("p90") && x.p90 < x.median)
    f.problem("p90", "is less than the median");
}

void describe(Fields& f, CalibrationError& x) {
  f.required("metric", x.metric, "as 'tokenyard metrics' calls it, such as tpot_mean_s");
  f.required("measurements", x.measurements, "of this metric").at_least(1);
  f.required("uncalibrated", x.uncalibrated, "with the catalog's own numbers");
  f.required("fitted", x.fitted, "on the measurements that the numbers were fitted to");
  f.optional("five_fold", x.five_fold, "on each fifth, with numbers fitted to the other four");
  f.optional("leave_one_model_out", x.leave_one_model_out,
             "on each model, with numbers fitted to the other models");
}

void describe(Fields& f, CalibrationData& x) {
  f.required("file", x.file, "the measurements, one a row");
  f.required("sha256", x.sha256, "of the file, in hexadecimal");
  f.required("measurements", x.measurements, "of the file, that were used").at_least(1);
  f.required("source", x.source, "who measured, and where it is published");
  if (f.has("sha256") && !is_sha256(x.sha256))
    f.problem("sha256", "'" + x.sha256 + "' is no SHA-256; expected 64 of 0-9 and a-f");
}

void describe(Fields& f, CalibratedHost& x) {
  f.optional("per_step", x.per_step, "host time of a step that the devices wait for").at_least(0.0);
  f.optional("per_sequence", x.per_sequence, "the same, for each sequence that gets a token")
      .at_least(0.0);
  f.optional("per_request", x.per_request, "time of a request before the scheduler sees it")
      .at_least(0.0);
  f.optional("prompt_layer", x.prompt_layer, "least time of a layer in steps with prompts")
      .at_least(0.0);
}

void describe(Fields& f, CalibratedDevice& x) {
  if (f.is_reading()) x.where = f.node().place;
  f.required("device", x.device, "a file of hardware_catalog/devices, without .yaml");
  f.optional("engine", x.engine, "which engine of the device; default: its first");
  f.optional("link", x.link, "of the device, that the numbers of collectives are of");
  f.required("measurements", x.measurements, "of this device").at_least(1);
  f.optional("models", x.models, "that were measured");
  f.optional("compute", x.compute,
             "share of peak FLOP/s that large matrix products reach, by number format");
  f.optional("experts", x.experts,
             "products of routed experts, relative to what dense products reach")
      .more_than(0.0)
      .at_most(1.0);
  f.optional("bandwidth", x.bandwidth, "share of memory bandwidth reached when reading weights")
      .more_than(0.0)
      .at_most(1.0);
  f.optional("kv_bandwidth", x.kv_bandwidth,
             "share of memory bandwidth reached when reading the KV cache")
      .more_than(0.0)
      .at_most(1.0);
  f.optional("launch", x.launch, "exposed time per kernel").at_least(0.0);
  f.optional("collective_latency", x.collective_latency, "of the link, once per collective")
      .at_least(0.0);
  f.optional("link_efficiency", x.link_efficiency,
             "share of the link's bandwidth that large messages reach")
      .more_than(0.0)
      .at_most(1.0);
  f.optional("errors", x.errors, "of this device alone");
  if (!f.is_reading()) return;
  check_shares(f, x);
  if (x.fitted() > kMostFitted) {
    f.problem("", std::to_string(x.fitted()) + " numbers are fitted to one device; at most " +
                      std::to_string(kMostFitted));
  }
  if ((x.collective_latency || x.link_efficiency) && !x.link)
    f.problem("link",
              "key 'link' is missing; it says which link the numbers of collectives are of");
}

void describe(Fields& f, Calibration& x) {
  f.required("name", x.name, "how scenarios refer to it; the file is called the same");
  f.optional("description", x.description, "what it holds for, for people");
  f.required("date", x.date, "of the fit, such as 2026-11-23");
  f.required("method", x.method, "how the numbers were fitted, for people");
  f.required("data", x.data, "the measurements that they were fitted to");
  f.required("errors", x.errors, "how far simulated latencies are from measured ones");
  f.optional("host", x.host, "what the serving software and its CPU cost, on every device");
  f.required("devices", x.devices, "what was fitted to each device");
  if (!f.is_reading()) return;
  if (x.name == "auto" || x.name == "none")
    f.problem("name", "'" + x.name + "' has another meaning in scenarios");
  if (f.has("date") && !is_date(x.date))
    f.problem("date", "'" + x.date + "' is no date; expected year, month and day, '2026-11-23'");
  if (f.has("data") && x.data.empty()) f.problem("data", "is empty; say what was measured");
  refuse_twins(f, "devices", names_in(x.devices, &CalibratedDevice::device));
  name_sources(x);
}

}  // namespace tokenyard::catalog
