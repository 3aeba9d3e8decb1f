#pragma once
// Puts fitted numbers in the place of the catalog's into a plan's devices and host.
//
// Which calibration a device gets, by the scenario's `calibration`:
//
//   auto   of those that list the device by its name, the newest; an overlay is another device
//   NAME   that one, where it lists the device
//   none   none
//
// The host's costs come from the newest calibration that any device of the plan gets, where the
// scenario does not state them itself: they belong to the serving software and not to a device.
#include "scenario/plan.hpp"

namespace tokenyard::scenario {

inline constexpr std::string_view kAutoCalibration = "auto";
inline constexpr std::string_view kNoCalibration = "none";

// Contract: the plan's pools have their devices.  Problems go to `diagnostics`, with their places
// in `root`, the scenario, or in the calibration's file.
void calibrate_plan(Plan& plan, catalog::Catalog& catalog, const input::Node& root,
                    Diagnostics& diagnostics);

// The numbers of one device.  Contract: `calibrated` has no misfits with `device`.
void calibrate_device(catalog::Device& device, const catalog::CalibratedDevice& calibrated,
                      const catalog::CalibratedHost& host);

// The costs of the host.  stated: the scenario's serving.host as written, or nullptr; what it has
// stays.  Returns the keys of what was replaced.
std::vector<std::string> calibrate_host(HostOverhead& out, const catalog::CalibratedHost& host,
                                        const input::Node* stated);

}  // namespace tokenyard::scenario
