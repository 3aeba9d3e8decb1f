#pragma once
// Measurements of serving at a fixed number of requests in flight, as cases to simulate.
//
// The rows with one id are the metrics of one case.  What a row says becomes the scenario: device
// and count, model, number formats, parallelism, prompt and output tokens, requests in flight.  What
// rows do not say follows from the serving software that they name (steady_conditions.hpp), and is
// listed with each case; a row that names several becomes as many plans.
//
// All requests count, those of the start included: the tools that measure send the first wave at
// once as well and average over everything.
//
// Worked example: concurrency 8, 1,000 tokens in, 128 out, TensorRT-LLM: 80 requests; steps have room
// for one prompt, so that of the first eight each waits for those before it.
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "study/measured_csv.hpp"
#include "study/measurement.hpp"

namespace tokenyard::study {

// A case that the catalog has no machine or model for, or that does not fit, has a problem and no
// plan.  Throws InputError with everything that is wrong with the file.
std::vector<MeasuredCase> steady_cases(const MeasuredCsv& csv, catalog::Catalog& catalog,
                                       const CaseOptions& options = {});

}  // namespace tokenyard::study
