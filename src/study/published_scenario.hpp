#pragma once
// The plan of a run whose conditions were published.
//
// What the rules set stands in a scenario of one pool; the rest follows from the devices of the run:
//
//   devices of a replica = tensor_parallel * attention_data_parallel * pipeline_parallel
//   replicas             = devices / devices of a replica, all taking the same work
//   nodes                = devices / devices of a node, rounded up
//
// A run whose devices are no whole number of replicas was not what the rules make of it: a problem.
//
// Worked example: 16 H200 with tensor_parallel 8 are two replicas on two nodes of eight; 4 GB200 of a
// rack of 72 are one node with one replica of four, and 68 devices idle in it.
//
// Rules that set `fleet.pools` themselves (machines of two kinds) or `pool.count` or
// `deploy.replicas` are left alone.
#include <optional>
#include <string>

#include "scenario/plan.hpp"
#include "study/measurement.hpp"
#include "study/published_conditions.hpp"

namespace tokenyard::study {

struct PublishedPlan {
  std::optional<scenario::Plan> plan;
  std::string problem;  // why there is none
};

// Throws InputError where the rules set what no scenario can have, as they may of an odd row.
PublishedPlan published_plan(const std::string& id, const RowConditions& conditions,
                             const RowNumbers& numbers, const CaseOptions& options,
                             catalog::Catalog& catalog);

}  // namespace tokenyard::study
