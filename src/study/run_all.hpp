#pragma once
// Many plans, some at a time, into one result database.
//
// Finished runs are merged in the order of the plans, so that the database is the same whatever the
// number of workers.  A run that fails is recorded as failed and the others go on.
#include <functional>
#include <string>
#include <vector>

#include "study/worker.hpp"

namespace tokenyard::study {

struct StudyProgress {
  std::size_t runs_done = 0;
  std::size_t runs = 0;
  double simulated_s = 0.0;        // of the oldest run under way
  std::int64_t requests_done = 0;  // by all runs under way
};

struct StudyOptions {
  std::string db_path;
  std::size_t jobs = 1;
  bool per_step = false;
  std::function<void(const StudyProgress&)> on_progress = {};
  std::function<bool()> interrupted = {};  // true: stop, keeping what is done
};

struct Outcome {
  std::int64_t run_id = -1;  // in the database; -1: not run (interrupted, or bad input)
  FailureKind failure = FailureKind::none;
  std::string message;
};

// Outcomes parallel to the plans.  Throws InputError when the database cannot be used.
std::vector<Outcome> run_all(const std::vector<scenario::Plan>& plans, const StudyOptions& options);

}  // namespace tokenyard::study
