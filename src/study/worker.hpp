#pragma once
// A run in a process of its own: forked before SimGrid's engine exists, its result written to a
// shard.
//
// The child tells the parent over a pipe how far it is, and, if it fails, why.  It dies with the
// parent.
#include <sys/types.h>

#include <optional>
#include <string>

#include "scenario/plan.hpp"
#include "sim/simulation.hpp"

namespace tokenyard::study {

enum class FailureKind { none, input, internal };  // exit codes 0, 2, 3

struct WorkerEnd {
  FailureKind failure = FailureKind::none;
  std::string message;
};

class Worker {
 public:
  // Starts at once.
  Worker(const scenario::Plan& plan, std::string shard_path, bool per_step);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  [[nodiscard]] int descriptor() const { return pipe_; }
  // Reads what has come in; call when the descriptor is readable.  True at the end of the run.
  bool read_messages();
  [[nodiscard]] const sim::Progress& progress() const { return progress_; }
  // After read_messages() returned true.
  [[nodiscard]] const WorkerEnd& end() const { return end_; }
  [[nodiscard]] const std::string& shard_path() const { return shard_path_; }

 private:
  void reap();

  std::string shard_path_;
  pid_t pid_ = -1;
  int pipe_ = -1;
  std::string incoming_;
  sim::Progress progress_;
  WorkerEnd end_;
};

}  // namespace tokenyard::study
