#pragma once
// A calibration: the shares of their peaks that some devices reach, and what the software that
// drives them costs, fitted to published measurements; one file each in
// hardware_catalog/calibrations/.
//
// A device's own file says what its maker says, and defaults stand for the rest.  A calibration
// replaces those defaults by a few numbers a device, at most eight, such that simulated latencies
// come close to measured ones.  Its `errors` say how close: before the fit (uncalibrated), on the
// measurements it was fitted to, and on measurements that were left out of it.  The last of them,
// all measurements of one model left out at a time, is what a scenario with a new model may expect.
//
// Where a number goes:
//
//   host.per_step, .per_sequence, .per_request    serving.host of a scenario that does not say
//   host.prompt_layer                             engine: prompt_layer_latency
//   device.compute.bf16, .others                  engine: efficiency.prefill, .prefill_by_format
//   device.experts, .bandwidth, .kv_bandwidth     engine: efficiency.experts, .decode,
//                                                 .attention_decode
//   device.launch                                 engine: launch_overhead
//   device.collective_latency, .link_efficiency   device.link: collective_latency, efficiency
//
// Worked example: a device of 989 TFLOP/s in bf16 and 1979 in fp8 with compute {bf16: 0.68, fp8:
// 0.45} multiplies large matrices at 0.68 * 989 = 673 TFLOP/s in bf16 and at 0.45 * 1979 = 891 in
// fp8: fp8 gains a third, not the double of the peaks.
//
// Assumes that one number holds for every model and batch that a device runs, and one host cost for
// every device of the file.  low and high of a number are its spread over the fits that leave one
// model out.
#include <optional>
#include <string>
#include <vector>

#include "catalog/device.hpp"

namespace tokenyard::catalog {

inline constexpr std::size_t kMostFitted = 8;  // numbers a device

// Of |simulated / measured - 1| over measurements.
struct ErrorBand {
  double median = 0.0;
  double p90 = 0.0;
};

// How far a metric was from its measurements.  Absent: too few measurements to leave any out.
struct CalibrationError {
  std::string metric;  // tpot_mean_s
  std::int64_t measurements = 0;
  ErrorBand uncalibrated;
  ErrorBand fitted;
  std::optional<ErrorBand> five_fold;
  std::optional<ErrorBand> leave_one_model_out;

  // Of measurements that the fit has not seen, as far as known: the number that a reader may trust.
  [[nodiscard]] const ErrorBand& expected() const;
};

// A file of measurements that the numbers were fitted to.
struct CalibrationData {
  std::string file;
  std::string sha256;
  std::int64_t measurements = 0;  // of the file, that were used
  std::string source;             // who measured, and where it is published
};

struct CalibratedHost {
  std::optional<Sourced<Seconds>> per_step;
  std::optional<Sourced<Seconds>> per_sequence;
  std::optional<Sourced<Seconds>> per_request;
  std::optional<Sourced<Seconds>> prompt_layer;  // of every device of the file
};

struct CalibratedDevice {
  std::string device;
  std::optional<std::string> engine;  // absent: the device's first
  std::optional<std::string> link;    // that the numbers of collectives are of
  std::int64_t measurements = 0;
  std::vector<std::string> models;                 // that were measured
  std::map<std::string, Sourced<double>> compute;  // share of the peak, by number format
  std::optional<Sourced<double>> experts;
  std::optional<Sourced<double>> bandwidth;
  std::optional<Sourced<double>> kv_bandwidth;
  std::optional<Sourced<Seconds>> launch;
  std::optional<Sourced<Seconds>> collective_latency;
  std::optional<Sourced<double>> link_efficiency;
  std::vector<CalibrationError> errors;
  Place where;  // in the calibration's file

  [[nodiscard]] std::size_t fitted() const;  // how many numbers
};

struct Calibration {
  std::string name;
  std::string description;
  std::string date;    // of the fit: 2026-11-23
  std::string method;  // how it was fitted, for people
  std::vector<CalibrationData> data;
  std::vector<CalibrationError> errors;  // over all devices
  CalibratedHost host;
  std::vector<CalibratedDevice> devices;

  [[nodiscard]] const CalibratedDevice* find(std::string_view device) const;
  [[nodiscard]] std::string source() const;         // of its data: who measured, "; " between them
  [[nodiscard]] std::int64_t measurements() const;  // of all its data
};

// The later by date, then by name.
bool is_newer(const Calibration& a, const Calibration& b);

// "fitted to 884 measurements, see data": the source of a number that names no other.
std::string fitted_source(std::int64_t measurements);

// Gives the numbers without a source theirs, as reading a file does: that of a device's numbers
// counts its measurements, that of the host's all.
void name_sources(Calibration& calibration);

// What a calibration names and the device does not have: its engine, its link, peaks.
std::vector<std::string> misfits(const CalibratedDevice& calibrated, const Device& device);

void describe(input::Fields& f, ErrorBand& x);
void describe(input::Fields& f, CalibrationError& x);
void describe(input::Fields& f, CalibrationData& x);
void describe(input::Fields& f, CalibratedHost& x);
void describe(input::Fields& f, CalibratedDevice& x);
void describe(input::Fields& f, Calibration& x);

}  // namespace tokenyard::catalog
