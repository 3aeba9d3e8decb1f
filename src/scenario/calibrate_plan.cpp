#include "scenario/calibrate_plan.hpp"

#include <algorithm>
#include <set>

#include "scenario/place_of.hpp"

namespace tokenyard::scenario {
namespace {

using catalog::CalibratedDevice;
using catalog::Calibration;
using catalog::CalibrationError;
using catalog::ErrorBand;

template <class T>
void replace(input::Sourced<T>& number, const std::optional<input::Sourced<T>>& fitted) {
  if (fitted) number = *fitted;
}

// The calibrations that the scenario allows, the newest first.
std::vector<const Calibration*> allowed(const std::string& wanted, catalog::Catalog& catalog,
                                        const input::Node& root, Diagnostics& diagnostics) {
  using catalog::EntryKind;
  if (wanted == kNoCalibration) return {};
  if (wanted == kAutoCalibration) return catalog.calibrations(diagnostics);
  if (!catalog.exists(EntryKind::calibration, wanted)) {
    std::vector<std::string> known = catalog.names(EntryKind::calibration);
    known.insert(known.begin(), {std::string(kAutoCalibration), std::string(kNoCalibration)});
    diagnostics.add(place_of(root, "calibration"), "calibration",
                    "no calibration '" + wanted + "' in the catalog" + suggestion(wanted, known));
    return {};
  }
  const Calibration* named = catalog.calibration(wanted, diagnostics);
  if (named == nullptr) return {};
  return {named};
}

const Calibration* first_that_lists(const std::vector<const Calibration*>& calibrations,
                                    const std::string& device) {
  const auto found = std::find_if(calibrations.begin(), calibrations.end(),
                                  [&](const Calibration* c) { return c->find(device) != nullptr; });
  return found != calibrations.end() ? *found : nullptr;
}

std::string percent(double share) {
  return three_digits(100.0 * share) + " %";
}

// "TPOT" of tpot_mean_s: as people call the latency.
std::string short_name(const std::string& metric) {
  std::string name = metric.substr(0, metric.find('_'));
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return name;
}

// "TPOT 9.00 % (median), 25.0 % (90 of 100)".
std::string band_text(const std::string& metric, const ErrorBand& band) {
  return short_name(metric) + ' ' + percent(band.median) + " (median), " + percent(band.p90) +
         " (90 of 100)";
}

Assumption row_of(const std::string& device, const Calibration& c) {
  const CalibratedDevice& calibrated = *c.find(device);
  std::string value = c.name + " of " + c.date;
  std::string separator = ": ";
  for (const CalibrationError& e : calibrated.errors.empty() ? c.errors : calibrated.errors) {
    value += separator + band_text(e.metric, e.expected());
    separator = "; ";
  }
  return {"device " + device + ": calibration", value, "measured", c.source()};
}

// What a device that nobody has fitted may be off by: as much as any calibration's devices were
// before it.
Assumption row_without(const std::string& device, const std::vector<const Calibration*>& known) {
  Assumption row{"device " + device + ": uncalibrated", "no device is calibrated", "uncalibrated",
                 "default of tokenyard"};
  if (known.empty()) return row;
  std::map<std::string, ErrorBand> worst;
  row.source = "before calibration:";
  for (const Calibration* c : known) {
    row.source += ' ' + c->name;
    for (const CalibrationError& e : c->errors) {
      ErrorBand& band = worst[e.metric];
      band.median = std::max(band.median, e.uncalibrated.median);
      band.p90 = std::max(band.p90, e.uncalibrated.p90);
    }
  }
  row.value = "as calibrated devices were before:";
  std::string separator = " ";
  for (const auto& [metric, band] : worst) {
    row.value += separator + band_text(metric, band);
    separator = "; ";
  }
  return row;
}

// Calibrates one device; false when the calibration does not fit it, which has been said.
bool take(catalog::Device& device, const Calibration& chosen, Diagnostics& diagnostics) {
  const CalibratedDevice& calibrated = *chosen.find(device.name);
  const std::vector<std::string> problems = misfits(calibrated, device);
  for (const std::string& problem : problems)
    diagnostics.add(calibrated.where, "calibration " + chosen.name, problem);
  if (problems.empty()) calibrate_device(device, calibrated, chosen.host);
  return problems.empty();
}

const input::Node* stated_host(const input::Node& root) {
  const input::Node* serving = root.find("serving");
  return serving != nullptr ? serving->find("host") : nullptr;
}

}  // namespace

void calibrate_device(catalog::Device& device, const CalibratedDevice& calibrated,
                      const catalog::CalibratedHost& host) {
  for (catalog::Engine& engine : device.engines) {
    if (engine.name != calibrated.engine.value_or(device.engines.front().name)) continue;
    for (const auto& [format, share] : calibrated.compute) {
      if (format == "bf16") {
        engine.efficiency.prefill = share;
        engine.efficiency.prefill_by_format.erase(format);
      } else {
        engine.efficiency.prefill_by_format[format] = share;
      }
    }
    replace(engine.efficiency.experts, calibrated.experts);
    replace(engine.efficiency.decode, calibrated.bandwidth);
    replace(engine.efficiency.attention_decode, calibrated.kv_bandwidth);
    replace(engine.launch_overhead, calibrated.launch);
    replace(engine.prompt_layer_latency, host.prompt_layer);
  }
  for (catalog::Link& link : device.links) {
    if (link.name != calibrated.link) continue;
    replace(link.collective_latency, calibrated.collective_latency);
    replace(link.efficiency, calibrated.link_efficiency);
  }
}

std::vector<std::string> calibrate_host(HostOverhead& out, const catalog::CalibratedHost& host,
                                        const input::Node* stated) {
  std::vector<std::string> replaced;
  const auto put = [&](const char* key, Seconds& cost,
                       const std::optional<input::Sourced<Seconds>>& fitted) {
    if (!fitted || (stated != nullptr && stated->find(key) != nullptr)) return;
    cost = fitted->value;
    replaced.emplace_back(key);
  };
  put("per_step", out.per_step, host.per_step);
  put("per_sequence", out.per_sequence, host.per_sequence);
  put("per_request", out.per_request, host.per_request);
  return replaced;
}

void calibrate_plan(Plan& plan, catalog::Catalog& catalog, const input::Node& root,
                    Diagnostics& diagnostics) {
  if (is_no_scalar(root, "calibration") && root.find("calibration") != nullptr) return;
  const std::string& wanted = plan.scenario.calibration;
  const auto usable = allowed(wanted, catalog, root, diagnostics);
  // Those that are not used are read for what they say of devices that nobody has fitted.
  const auto known = catalog.readable_calibrations();
  const Calibration* newest = nullptr;
  std::set<std::string> told;
  for (PoolPlan& pool : plan.pools) {
    for (catalog::Device& device : pool.devices) {
      const Calibration* chosen = first_that_lists(usable, device.name);
      if (chosen != nullptr && !take(device, *chosen, diagnostics)) chosen = nullptr;
      pool.calibrations.push_back(chosen != nullptr ? chosen->name : "");
      if (chosen != nullptr && (newest == nullptr || is_newer(*chosen, *newest))) newest = chosen;
      if (!told.insert(device.name).second) continue;
      plan.calibration.push_back(chosen != nullptr ? row_of(device.name, *chosen)
                                                   : row_without(device.name, known));
    }
  }
  if (newest == nullptr) return;
  HostOverhead& host = plan.scenario.serving.host;
  plan.host_calibration = newest->name + " of " + newest->date;
  plan.calibrated_host = calibrate_host(host, newest->host, stated_host(root));
}

}  // namespace tokenyard::scenario
