#include "study/calibrate.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "study/calibration_yaml.hpp"
#include "study/steady_cases.hpp"
#include "study/validation.hpp"
#include "support/toy_yard.hpp"

namespace {

using namespace tokenyard;
using study::CaseRuns;
using study::FitCase;
using study::FitNumbers;
using study::MeasuredCase;
using test::ToyYard;

const std::string kHeader =
    "id,device,num_devices,model,weights,expert_weights,tensor_parallel,attention_data_parallel,"
    "expert_parallel,input_tokens,output_tokens,concurrency,metric,value,unit,spread_low,"
    "spread_high,repeats,engines\n";

// Within `share` of the value itself: doctest's own tolerance is of the value plus 1.
doctest::Approx near(double value, double share) {
  return doctest::Approx(value).epsilon(share).scale(0.0);
}

struct Conditions {
  std::string model = "toy-4b";
  int devices = 1, input = 100, output = 20, concurrency = 1;
};

// The toy device with shares below 1, as real ones have.
struct UsualYard : ToyYard {
  UsualYard() {
    edit("hardware_catalog/devices/toy.yaml",
         "{prefill: 1, decode: 1, attention_prefill: 1, attention_decode: 1}",
         "{prefill: 0.6, decode: 0.75, attention_prefill: 0.5, attention_decode: 0.6}");
    edit("hardware_catalog/devices/toy.yaml", "launch_overhead: 0 s", "launch_overhead: 4 us");
  }
};

// Cases whose measurements say nothing yet: 1 s each.
std::vector<MeasuredCase> cases_of(const ToyYard& yard, const std::vector<Conditions>& all) {
  std::string text = kHeader;
  int id = 0;
  for (const Conditions& c : all) {
    for (const char* metric : {"tpot_mean", "ttft_mean"}) {
      text += "case-" + std::to_string(id) + ",toy," + std::to_string(c.devices) + ',' + c.model +
              ",bf16,bf16," + std::to_string(c.devices) + ",1,1," + std::to_string(c.input) + ',' +
              std::to_string(c.output) + ',' + std::to_string(c.concurrency) + ',' + metric +
              ",1,s,1,1,1,pencil\n";
    }
    ++id;
  }
  yard.write("m.csv", text);
  catalog::Catalog catalog(yard.file(""));
  return study::steady_cases(study::MeasuredCsv(yard.file("m.csv")), catalog,
                             {.calibration = "none"});
}

// Small and large batches, short and long prompts, one device and two.
std::vector<Conditions> mixed() {
  std::vector<Conditions> all;
  for (const char* model : {"toy-4b", "toy-moe"}) {
    for (const int devices : {1, 2}) {
      all.push_back({model, devices, 10, 20, 1});
      all.push_back({model, devices, 100, 20, 6});
      all.push_back({model, devices, 4000, 10, 2});
      all.push_back({model, devices, 4000, 40, 6});
      all.push_back({model, devices, 20000, 40, 1});
    }
  }
  return all;
}

std::vector<double> moved(const std::vector<double>& values, const FitNumbers& numbers) {
  // Some up and some down, by 8 to 15 %.
  constexpr double kFactors[] = {0.88, 1.12, 0.92, 1.15, 0.85};
  std::vector<double> truth = values;
  for (std::size_t k = 0; k < truth.size(); ++k) {
    truth[k] *= kFactors[k % std::size(kFactors)];
    CHECK(truth[k] < numbers.all()[k].parameter.limit);
  }
  return truth;
}

// Measurements as a world with the numbers `truth` would have them.
void measure(std::vector<FitCase>& cases, const catalog::Calibration& truth) {
  for (FitCase& c : cases) {
    const std::vector<double> values = study::predicted(c, truth);
    for (std::size_t m = 0; m < values.size(); ++m) c.measured[m].value = values[m];
  }
}

// Every measurement again and again, so that the priors have little to say.
void repeat(std::vector<FitCase>& cases, std::size_t times) {
  for (FitCase& c : cases) {
    const std::vector<study::Measurement> once = c.measured;
    for (std::size_t i = 1; i < times; ++i)
      c.measured.insert(c.measured.end(), once.begin(), once.end());
  }
}

std::vector<std::size_t> every(const std::vector<FitCase>& cases) {
  std::vector<std::size_t> all(cases.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

std::size_t index_of(const FitNumbers& numbers, const std::string& name) {
  for (std::size_t k = 0; k < numbers.all().size(); ++k) {
    if (numbers.all()[k].name == name) return k;
  }
  FAIL("no number ", name);
  return 0;
}

}  // namespace

TEST_CASE(
    "of a device with experts and a link seven numbers are fitted in one format, and four of the "
    "host") {
  const UsualYard yard;
  const study::FitCases given = study::fit_cases(cases_of(yard, mixed()));
  CHECK(given.left_out.empty());
  const FitNumbers numbers(given.cases);
  std::vector<std::string> names;
  for (const study::FitNumber& n : numbers.all()) names.push_back(n.name);
  CHECK(names == std::vector<std::string>{"compute.bf16", "experts", "bandwidth", "kv_bandwidth",
                                          "launch", "collective_latency", "link_efficiency",
                                          "per_step", "per_sequence", "per_request",
                                          "prompt_layer"});
  const auto& bandwidth = numbers.all()[index_of(numbers, "bandwidth")];
  CHECK(bandwidth.device == "toy");
  CHECK(bandwidth.parameter.expected == 0.75);
  CHECK(bandwidth.cases.size() == 20);
  // The catalog says nothing of experts, or says that they are as good as dense products.
  const auto& experts = numbers.all()[index_of(numbers, "experts")];
  CHECK(experts.standing == 1.0);
  CHECK(experts.parameter.expected == 0.5);
  CHECK(experts.cases.size() == 10);
  CHECK(numbers.all()[index_of(numbers, "link_efficiency")].cases.size() == 10);
  CHECK(numbers.all()[index_of(numbers, "per_step")].device.empty());
}

TEST_CASE("one device without a link and a dense model: nothing of links and experts is fitted") {
  const UsualYard yard;
  const study::FitCases given = study::fit_cases(cases_of(yard, {{}, {.concurrency = 4}}));
  const FitNumbers numbers(given.cases);
  CHECK(numbers.all().size() == 4 + 4);
  for (const study::FitNumber& n : numbers.all()) CHECK(n.cases.size() == 2);
}

TEST_CASE("a number changes no case that is not said to depend on it") {
  const UsualYard yard;
  const study::FitCases given = study::fit_cases(cases_of(yard, mixed()));
  const FitNumbers numbers(given.cases);
  const std::vector<double> base = numbers.expected();
  for (std::size_t k = 0; k < numbers.all().size(); ++k) {
    const study::FitNumber& n = numbers.all()[k];
    CAPTURE(n.name);
    std::vector<double> other = base;
    other[k] *= 0.7;
    bool changes = false;
    for (std::size_t i = 0; i < given.cases.size(); ++i) {
      const bool same = study::predicted(given.cases[i], numbers.calibration(base)) ==
                        study::predicted(given.cases[i], numbers.calibration(other));
      if (!std::binary_search(n.cases.begin(), n.cases.end(), i)) CHECK(same);
      changes = changes || !same;
    }
    CHECK(changes);
  }
}

TEST_CASE("numbers that were moved by 8 to 15 % are found again, each that the data shows") {
  const UsualYard yard;
  study::FitCases given = study::fit_cases(cases_of(yard, mixed()));
  const FitNumbers numbers(given.cases);
  const std::vector<double> truth = moved(numbers.expected(), numbers);
  repeat(given.cases, 120);
  measure(given.cases, numbers.calibration(truth));
  CaseRuns runs(given.cases, numbers, 2);
  const std::vector<double> fitted = study::fit_to(runs, every(given.cases), {.most_steps = 12});
  // What the step costs and what each of a few sequences adds are told apart by little here, and
  // messages are too small for the link's bandwidth.
  for (const char* name : {"compute.bf16", "experts", "bandwidth", "kv_bandwidth", "launch",
                           "collective_latency", "per_request", "prompt_layer"}) {
    CAPTURE(name);
    const std::size_t k = index_of(numbers, name);
    CHECK(fitted[k] == near(truth[k], 0.02));
  }
}

TEST_CASE(
    "one case in ten measured three times too long or too short: the others are met within 2 %, in "
    "the median") {
  const UsualYard yard;
  std::vector<Conditions> many;
  for (const char* model : {"toy-4b", "toy-moe"}) {
    for (const int devices : {1, 2}) {
      for (const int input : {10, 500, 2000, 4000, 12000}) {
        for (const int concurrency : {1, 3, 5})
          many.push_back({model, devices, input, 20, concurrency});
      }
    }
  }
  study::FitCases given = study::fit_cases(cases_of(yard, many));
  REQUIRE(given.cases.size() == 60);
  const FitNumbers numbers(given.cases);
  const std::vector<double> truth = moved(numbers.expected(), numbers);
  repeat(given.cases, 40);
  measure(given.cases, numbers.calibration(truth));
  for (std::size_t wrong = 3; wrong < given.cases.size(); wrong += 10) {
    for (study::Measurement& m : given.cases[wrong].measured)
      m.value *= wrong % 20 < 10 ? 3.0 : 1.0 / 3.0;
  }
  CaseRuns runs(given.cases, numbers, 2);
  const std::vector<double> fitted = study::fit_to(runs, every(given.cases), {.most_steps = 12});
  // What the sound cases are off by.
  std::vector<double> errors;
  for (std::size_t i = 0; i < given.cases.size(); ++i) {
    if (i % 10 == 3) continue;
    const std::vector<double> values =
        study::predicted(given.cases[i], numbers.calibration(fitted));
    for (std::size_t m = 0; m < 2; ++m)
      errors.push_back(std::abs(values[m] / given.cases[i].measured[m].value - 1.0));
  }
  std::sort(errors.begin(), errors.end());
  CHECK(errors[errors.size() / 2] < 0.02);
  CHECK(errors[errors.size() * 9 / 10] < 0.05);
}

TEST_CASE("a fit without a model does not change when that model's measurements are spoilt") {
  const UsualYard yard;
  study::FitCases given = study::fit_cases(cases_of(yard, mixed()));
  const FitNumbers numbers(given.cases);
  measure(given.cases, numbers.calibration(moved(numbers.expected(), numbers)));
  std::vector<std::size_t> dense;
  for (std::size_t i = 0; i < given.cases.size(); ++i) {
    if (given.cases[i].model == "toy-4b") dense.push_back(i);
  }
  REQUIRE(dense.size() == 10);
  CaseRuns clean(given.cases, numbers, 1);
  const std::vector<double> before = study::fit_to(clean, dense, {.most_steps = 4});
  for (FitCase& c : given.cases) {
    if (c.model != "toy-moe") continue;
    for (study::Measurement& m : c.measured) m.value *= 5.0;
  }
  CaseRuns spoilt(given.cases, numbers, 1);
  // A fit to everything first: what it found out must not help.
  const std::vector<double> of_all = study::fit_to(spoilt, every(given.cases), {.most_steps = 4});
  CHECK(study::fit_to(spoilt, dense, {.most_steps = 4}) == before);
  CHECK(of_all != before);
}

TEST_CASE("the result is the same with one job and with three") {
  const UsualYard yard;
  std::vector<MeasuredCase> measured = cases_of(yard, mixed());
  const auto text = [&](std::size_t jobs) {
    const study::CalibrationStudy s = study::calibrate(
        measured,
        {.jobs = jobs, .fit = {.most_steps = 1}, .held_out = {.most_steps = 2, .jacobians = 1}});
    CHECK(s.cases == 20);
    CHECK(s.measurements.at(yard.file("m.csv")) == 40);
    return study::calibration_yaml(s.calibration) + std::to_string(s.runs);
  };
  CHECK(text(1) == text(3));
}

TEST_CASE("errors before and after: 10 % too long everywhere is 9.09 % off, and a fit mends it") {
  const UsualYard yard;
  std::vector<MeasuredCase> measured = cases_of(yard, mixed());
  const study::FitCases given = study::fit_cases(measured);
  for (std::size_t i = 0; i < measured.size(); ++i) {
    const std::vector<double> values = study::predicted(given.cases[i], {});
    for (std::size_t m = 0; m < values.size(); ++m)
      measured[i].measurements[m].value = 1.1 * values[m];
  }
  const study::CalibrationStudy s =
      study::calibrate(measured, {.jobs = 2, .fit = {.most_steps = 4}});
  REQUIRE(s.calibration.errors.size() == 2);
  const catalog::CalibrationError& tpot = s.calibration.errors.front();
  CHECK(tpot.metric == "tpot_mean_s");
  CHECK(tpot.measurements == 20);
  CHECK(tpot.uncalibrated.median == 0.0909);
  CHECK(tpot.uncalibrated.p90 == 0.0909);
  CHECK(tpot.fitted.median < 0.03);
  CHECK(tpot.five_fold->median < 0.06);
  REQUIRE(tpot.leave_one_model_out.has_value());
  REQUIRE(s.calibration.devices.size() == 1);
  const catalog::CalibratedDevice& d = s.calibration.devices.front();
  CHECK(d.models == std::vector<std::string>{"toy-4b", "toy-moe"});
  CHECK(d.link == "wire");
  CHECK(d.measurements == 40);
  CHECK(d.errors.front().fitted.median == tpot.fitted.median);
  for (const study::FittedNumber& n : s.numbers) {
    CAPTURE(n.name);
    CHECK(*n.fitted.low <= n.fitted.value);
    CHECK(n.fitted.value <= *n.fitted.high);
  }
}

TEST_CASE("leaving a model out: its measurements, three times too long, are off by 67 % then") {
  const UsualYard yard;
  std::vector<MeasuredCase> measured = cases_of(yard, mixed());
  const study::FitCases given = study::fit_cases(measured);
  for (std::size_t i = 0; i < measured.size(); ++i) {
    const std::vector<double> values = study::predicted(given.cases[i], {});
    const double spoilt = given.cases[i].model == "toy-moe" ? 3.0 : 1.0;
    for (std::size_t m = 0; m < values.size(); ++m)
      measured[i].measurements[m].value = spoilt * values[m];
  }
  const study::CalibrationStudy s =
      study::calibrate(measured, {.jobs = 2, .fit = {.most_steps = 4}});
  const catalog::CalibrationError& tpot = s.calibration.errors.front();
  // The dense model alone is fitted as it stands; half of the cases are of each.
  CHECK(tpot.leave_one_model_out->p90 == doctest::Approx(2.0 / 3).epsilon(0.02));
  CHECK(tpot.fitted.p90 < 0.5);
}

TEST_CASE("what a fit predicts is what a scenario with the calibration simulates, to 1 in 10^9") {
  const UsualYard yard;
  const std::vector<Conditions> conditions{{.concurrency = 3},
                                           {"toy-moe", 2, 4000, 10, 2},
                                           {.devices = 2, .input = 900, .concurrency = 5}};
  const std::vector<MeasuredCase> measured = cases_of(yard, conditions);
  const study::FitCases given = study::fit_cases(measured);
  const FitNumbers numbers(given.cases);
  catalog::Calibration calibration = numbers.calibration(moved(numbers.expected(), numbers));
  // With the catalog's own numbers ...
  const study::Validation own = study::validate(measured, {.db_path = "", .jobs = 2});
  // ... and with the calibration from its file.
  calibration.name = "moved";
  calibration.date = "2026-01-02";
  calibration.method = "by hand";
  calibration.data = {
      {.file = "m.csv", .sha256 = std::string(64, '0'), .measurements = 6, .source = "pencil"}};
  yard.write("hardware_catalog/calibrations/moved.yaml", study::calibration_yaml(calibration));
  catalog::Catalog catalog(yard.file(""));
  const study::Validation fitted =
      study::validate(study::steady_cases(study::MeasuredCsv(yard.file("m.csv")), catalog,
                                          {.calibration = "moved"}),
                      {.db_path = "", .jobs = 2});
  REQUIRE(own.points.size() == 6);
  REQUIRE(fitted.points.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    CAPTURE(i);
    CHECK(study::predicted(given.cases[i / 2], {})[i % 2] ==
          near(own.points[i].predicted.value(), 1e-9));
    CHECK(study::predicted(given.cases[i / 2], calibration)[i % 2] ==
          near(fitted.points[i].predicted.value(), 1e-9));
    CHECK(fitted.points[i].predicted != own.points[i].predicted);
  }
}

TEST_CASE("cases that cannot be simulated are left out with the reason; none left is an error") {
  const UsualYard yard;
  std::vector<MeasuredCase> measured =
      cases_of(yard, {{}, {.model = "toy-5b"}, {.concurrency = 2}});
  const study::CalibrationStudy s =
      study::calibrate(measured, {.jobs = 1, .fit = {.most_steps = 1}});
  CHECK(s.cases == 2);
  REQUIRE(s.left_out.size() == 1);
  CHECK(s.left_out.front().id == "case-1");
  CHECK(s.left_out.front().why == "no model 'toy-5b' in the catalog; did you mean 'toy-4b'?");
  // One model: there is none to leave out.
  CHECK_FALSE(s.calibration.errors.front().leave_one_model_out.has_value());
  CHECK_FALSE(s.numbers.front().fitted.low.has_value());
  const std::vector<MeasuredCase> none{measured[1]};
  CHECK_THROWS_WITH_AS(static_cast<void>(study::calibrate(none, {})),
                       "error: there is no measurement to fit to; case case-1: no model 'toy-5b' "
                       "in the catalog; did you mean 'toy-4b'?",
                       InputError);
}

TEST_CASE("an interrupted calibration says so and has no numbers") {
  const UsualYard yard;
  int asked = 0;
  const study::CalibrationStudy s = study::calibrate(
      cases_of(yard, mixed()),
      {.jobs = 1, .fit = {}, .held_out = {}, .on_progress = {}, .interrupted = [&] {
         return ++asked > 30;
       }});
  CHECK(s.interrupted);
  CHECK(s.numbers.empty());
}
