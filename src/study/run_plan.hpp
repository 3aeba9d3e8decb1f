#pragma once
// One plan from simulation to a record that can be stored: result, cost, expectations, assumptions.
#include "scenario/plan.hpp"
#include "sim/simulation.hpp"
#include "store/records.hpp"

namespace tokenyard::study {

// What can be known to be wrong before anything is simulated: models that do not fit, missing
// prices, fleets that cannot be wired, expectations of metrics that do not exist.  Throws
// InputError with all.
void check_plan(const scenario::Plan& plan);

// Where the scenario wants a report of machines that cannot hold their model, or that fit no rack or
// network: sets plan.unfit of one that cannot.
void mark_unfit(scenario::Plan& plan);

// Simulates in this process; once per process (SimGrid).
store::RunRecord run_plan(const scenario::Plan& plan, const sim::SimulationOptions& options);

// The record of a plan that has no result: what was asked, and why there is no answer.
store::RunRecord failed_record(const scenario::Plan& plan, const std::string& message);

// Every expectation against the metrics: `holds` within the tolerance, else `optimistic` when the
// claim is better than the simulation, `pessimistic` when it is worse, `deviates` where neither way
// is better, and `unknown` when the run has no such metric.  What was measured judges the model
// instead: `holds` within the spread or the tolerance, else `model is off`; `compared` when neither
// is given.
std::vector<store::ExpectationRow> check_expectations(
    const scenario::Plan& plan, const std::vector<metrics::MetricValue>& metrics);

}  // namespace tokenyard::study
