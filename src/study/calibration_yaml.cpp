#include "study/calibration_yaml.hpp"

#include <array>
#include <charconv>

#include "base/json_writer.hpp"
#include "base/quantity_text.hpp"

namespace tokenyard::study {
namespace {

using catalog::CalibratedDevice;
using catalog::Calibration;
using catalog::CalibrationError;
using catalog::ErrorBand;
using input::Sourced;

// `value` in a unit of `scale` base units, in as few digits as read back as the same number; in
// base units where none do.
std::string shortest(double value, Dim dim, const char* unit, double scale) {
  constexpr int kMostDigits = 17;
  for (int digits = 1; digits <= kMostDigits; ++digits) {
    std::array<char, 64> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value / scale,
                                   std::chars_format::general, digits);
    const std::string_view number(text.data(), static_cast<std::size_t>(end.ptr - text.data()));
    if (number.find('e') != std::string_view::npos) continue;  // 2e+01 for 20
    const std::string shown = std::string(number) + unit;
    const ParsedQuantity read = parse_quantity(shown, dim);
    if (read.ok && read.value == value) return shown;
  }
  return exact_quantity(value, dim);
}

std::string number_text(double share) {
  return shortest(share, kNone, "", 1.0);
}

std::string number_text(Seconds time) {
  const double s = time.base();
  if (s >= 1.0) return shortest(s, kTime, " s", 1.0);
  return s >= 1e-4 ? shortest(s, kTime, " ms", 1e-3) : shortest(s, kTime, " us", 1e-6);
}

// Short where nothing but the value is to be said; a source that reading fills in need not be.
template <class T>
std::string sourced_text(const Sourced<T>& number, std::int64_t measurements) {
  const bool own =
      !number.source.empty() && (number.source != catalog::fitted_source(measurements) ||
                                 number.confidence != input::Confidence::measured);
  if (!number.low && !number.high && number.date.empty() && !own) return number_text(number.value);
  std::string text = "{value: " + number_text(number.value);
  if (number.low) text += ", low: " + number_text(*number.low);
  if (number.high) text += ", high: " + number_text(*number.high);
  if (own) {
    text += ", source: " + json_quote(number.source) +
            ", confidence: " + std::string(input::name_of(number.confidence));
  }
  if (!number.date.empty()) text += ", date: " + json_quote(number.date);
  return text + '}';
}

std::string band_text(const ErrorBand& band) {
  return "{median: " + shortest(band.median, kNone, " %", 0.01) +
         ", p90: " + shortest(band.p90, kNone, " %", 0.01) + '}';
}

class Writer {
 public:
  // The lines that follow are `indent` deep; `first` stands before the next of them.
  void at(std::string indent, std::string first = "") {
    indent_ = std::move(indent);
    first_ = std::move(first);
  }
  void line(const std::string& key, const std::string& value) {
    text_ += first_.empty() ? indent_ : first_;
    text_ += key + (value.empty() ? ":\n" : ": " + value + '\n');
    first_.clear();
  }
  void text(const std::string& key, const std::string& value) { line(key, json_quote(value)); }
  template <class T>
  void sourced(const std::string& key, const std::optional<Sourced<T>>& number,
               std::int64_t measurements) {
    if (number) line(key, sourced_text(*number, measurements));
  }
  void errors(const std::vector<CalibrationError>& errors) {
    const std::string indent = indent_;
    line("errors", errors.empty() ? "[]" : "");
    for (const CalibrationError& e : errors) {
      at(indent + "    ", indent + "  - ");
      line("metric", e.metric);
      line("measurements", std::to_string(e.measurements));
      line("uncalibrated", band_text(e.uncalibrated));
      line("fitted", band_text(e.fitted));
      if (e.five_fold) line("five_fold", band_text(*e.five_fold));
      if (e.leave_one_model_out) line("leave_one_model_out", band_text(*e.leave_one_model_out));
    }
    at(indent);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string indent_;
  std::string first_;
  std::string text_;
};

void write_host(Writer& w, const Calibration& c) {
  const catalog::CalibratedHost& host = c.host;
  if (!host.per_step && !host.per_sequence && !host.per_request && !host.prompt_layer) return;
  const std::int64_t measurements = c.measurements();
  w.line("host", "");
  w.at("  ");
  w.sourced("per_step", host.per_step, measurements);
  w.sourced("per_sequence", host.per_sequence, measurements);
  w.sourced("per_request", host.per_request, measurements);
  w.sourced("prompt_layer", host.prompt_layer, measurements);
  w.at("");
}

void write_device(Writer& w, const CalibratedDevice& d) {
  w.at("    ", "  - ");
  w.line("device", d.device);
  if (d.engine) w.text("engine", *d.engine);
  if (d.link) w.text("link", *d.link);
  w.line("measurements", std::to_string(d.measurements));
  std::string models;
  for (const std::string& model : d.models) models += (models.empty() ? "" : ", ") + model;
  w.line("models", '[' + models + ']');
  w.line("compute", d.compute.empty() ? "{}" : "");
  w.at("      ");
  for (const auto& [format, share] : d.compute) w.line(format, sourced_text(share, d.measurements));
  w.at("    ");
  w.sourced("experts", d.experts, d.measurements);
  w.sourced("bandwidth", d.bandwidth, d.measurements);
  w.sourced("kv_bandwidth", d.kv_bandwidth, d.measurements);
  w.sourced("launch", d.launch, d.measurements);
  w.sourced("collective_latency", d.collective_latency, d.measurements);
  w.sourced("link_efficiency", d.link_efficiency, d.measurements);
  w.errors(d.errors);
}

}  // namespace

std::string calibration_yaml(const Calibration& c) {
  Writer w;
  w.line("name", c.name);
  w.text("description", c.description);
  w.line("date", c.date);
  w.text("method", c.method);
  w.line("data", c.data.empty() ? "[]" : "");
  for (const catalog::CalibrationData& d : c.data) {
    w.at("    ", "  - ");
    w.text("file", d.file);
    w.text("sha256", d.sha256);
    w.line("measurements", std::to_string(d.measurements));
    w.text("source", d.source);
  }
  w.at("");
  w.errors(c.errors);
  write_host(w, c);
  w.line("devices", c.devices.empty() ? "[]" : "");
  for (const CalibratedDevice& d : c.devices) write_device(w, d);
  return w.take();
}

}  // namespace tokenyard::study
