#pragma once
// A made-up calibration of the toy device: round numbers, for tests that read or write files.
#include <string>

namespace tokenyard::test {

inline const std::string kToyCalibrationPath = "hardware_catalog/calibrations/toy-fit.yaml";

inline const std::string kToyCalibration =
    "name: toy-fit\n"
    "date: 2026-11-23\n"
    "method: by pencil\n"
    "data:\n"
    "  - file: toy.csv\n"
    "    sha256: \"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"\n"
    "    measurements: 30\n"
    "    source: a toy maker\n"
    "errors:\n"
    "  - metric: tpot_mean_s\n"
    "    measurements: 20\n"
    "    uncalibrated: {median: 20 %, p90: 40 %}\n"
    "    fitted: {median: 5 %, p90: 10 %}\n"
    "host:\n"
    "  per_step: {value: 2 ms, low: 1 ms, high: 3 ms}\n"
    "  per_request: 20 ms\n"
    "  prompt_layer: 0.25 ms\n"
    "devices:\n"
    "  - device: toy\n"
    "    link: wire\n"
    "    measurements: 12\n"
    "    models: [toy-4b]\n"
    "    compute:\n"
    "      bf16: {value: 0.5, low: 0.4, high: 0.6}\n"
    "    experts: 0.25\n"
    "    bandwidth: 0.75\n"
    "    kv_bandwidth: 0.625\n"
    "    launch: 3 us\n"
    "    collective_latency: 15 us\n"
    "    link_efficiency: 0.7\n"
    "    errors:\n"
    "      - metric: tpot_mean_s\n"
    "        measurements: 8\n"
    "        uncalibrated: {median: 15 %, p90: 30 %}\n"
    "        fitted: {median: 4 %, p90: 8 %}\n"
    "        leave_one_model_out: {median: 6 %, p90: 12 %}\n"
    "      - metric: ttft_mean_s\n"
    "        measurements: 4\n"
    "        uncalibrated: {median: 50 %, p90: 90 %}\n"
    "        fitted: {median: 9 %, p90: 18 %}\n";

}  // namespace tokenyard::test
