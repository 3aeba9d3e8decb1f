#pragma once
// Published numbers (throughput, latency and power of whole systems) as cases to simulate.
//
// The rows of one run - same source, hardware, model, precision, scenario, lengths and load - that
// ask for the same simulation are one case; a run whose prompts and answers are told apart (tokens of
// prompts per second, tokens of answers per second) is two.  What the words of a row mean, and what
// has to be assumed, is in workloads/published-conditions.yaml: see published_conditions.hpp.
//
// How the numbers are compared:
//   - Tokens/s of a whole run: output_tokens_per_s.  MLPerf "Offline" measures a machine that always
//     has work: the simulated one is filled, and measured in a window after that.  "Server" and
//     "Interactive" offer a stated load, and what they made in a second follows from that load: TTFT
//     and TPOT are compared, tokens/s is not.
//   - Prompt tokens/s: input_tokens_per_s of a run whose requests have one output token.
//   - Prompt tokens/s behind a cached context ("pp2048 @ d32768"): the context is the first turn of a
//     session, the prompt its second.  TTFT of the second = 2048 / published number.
//   - Output tokens/s of n sequences: the median gap between tokens = n / published number; it leaves
//     out the prompts.
//   - Wall power: it_power_mean_w, at the inlets of nodes and switches.
//   - What a source computed from its other numbers is not compared once more.
#include <vector>

#include "catalog/catalog.hpp"
#include "study/measured_csv.hpp"
#include "study/measurement.hpp"

namespace tokenyard::study {

// Every row is in one case; one that cannot be simulated has a problem.  Throws InputError with
// everything wrong with the rows as rows (fields that are missing, numbers of one run given twice),
// with the rules, or with the catalog.
std::vector<MeasuredCase> published_cases(const MeasuredCsv& csv, catalog::Catalog& catalog,
                                          const CaseOptions& options = {});

}  // namespace tokenyard::study
