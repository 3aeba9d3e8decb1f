#include "study/run_all.hpp"

#include <poll.h>
#include <unistd.h>

#include <memory>
#include <system_error>

#include "store/store.hpp"
#include "study/run_plan.hpp"

namespace tokenyard::study {
namespace {

constexpr int kPollMilliseconds = 200;

class Pool {
 public:
  Pool(const std::vector<scenario::Plan>& plans, const StudyOptions& options)
      : plans_(plans),
        options_(options),
        workers_(plans.size()),
        finished_(plans.size(), false),
        outcomes_(plans.size()) {}

  std::vector<Outcome> run() {
    while (merged_ < plans_.size()) {
      if (interrupted()) break;
      start_workers();
      wait();
      merge_in_order();
      report();
    }
    keep_finished();
    return std::move(outcomes_);
  }

 private:
  // A run that ends after an interruption may have been ended by it: nothing to record as failed.
  [[nodiscard]] bool interrupted() const { return options_.interrupted && options_.interrupted(); }

  void start_workers() {
    while (running_ < options_.jobs && started_ < plans_.size()) {
      if (!plans_[started_].unfit.empty()) {  // nothing to simulate
        finished_[started_++] = true;
        continue;
      }
      const std::string shard = options_.db_path + ".shard-" + std::to_string(::getpid()) + '-' +
                                std::to_string(started_);
      try {
        workers_[started_] = std::make_unique<Worker>(plans_[started_], shard, options_.per_step);
      } catch (const std::system_error&) {
        // No descriptor or process to be had: go on with the workers there are.
        if (running_ == 0) throw;
        return;
      }
      ++started_;
      ++running_;
    }
  }

  void wait() {
    std::vector<pollfd> waiting;
    std::vector<std::size_t> indices;
    for (std::size_t i = merged_; i < started_; ++i) {
      if (finished_[i]) continue;
      waiting.push_back({workers_[i]->descriptor(), POLLIN, 0});
      indices.push_back(i);
    }
    if (waiting.empty() || ::poll(waiting.data(), waiting.size(), kPollMilliseconds) <= 0) return;
    for (std::size_t w = 0; w < waiting.size(); ++w) {
      if (waiting[w].revents == 0 || !workers_[indices[w]]->read_messages()) continue;
      finished_[indices[w]] = true;
      --running_;
    }
  }

  // The database is opened for the moment only: no handle may be open while a worker is forked.
  void merge_in_order() {
    if (merged_ == plans_.size() || !finished_[merged_]) return;
    store::Store store(options_.db_path);
    for (; merged_ < plans_.size() && finished_[merged_]; ++merged_) merge(store, merged_);
  }

  // After an interruption: runs that are done, though some before them are not.
  void keep_finished() {
    if (merged_ == plans_.size()) return;
    store::Store store(options_.db_path);
    for (std::size_t i = merged_; i < started_; ++i) {
      if (finished_[i]) merge(store, i);
    }
  }

  void merge(store::Store& store, std::size_t i) {
    Outcome& outcome = outcomes_[i];
    if (!workers_[i]) {
      outcome.run_id = store.write_run(failed_record(plans_[i], plans_[i].unfit));
      return;
    }
    const WorkerEnd& end = workers_[i]->end();
    outcome.failure = end.failure;
    outcome.message = end.message;
    if (end.failure == FailureKind::none) {
      outcome.run_id = store.merge_shard(workers_[i]->shard_path()).front();
    } else if (end.failure == FailureKind::internal && !interrupted()) {
      outcome.run_id = store.write_run(failed_record(plans_[i], end.message));
    }
    workers_[i].reset();
  }

  void report() const {
    if (!options_.on_progress) return;
    StudyProgress progress{merged_, plans_.size(), 0.0, 0};
    for (std::size_t i = started_; i > merged_; --i) {
      if (finished_[i - 1]) continue;
      progress.simulated_s = workers_[i - 1]->progress().simulated_s;
      progress.requests_done += workers_[i - 1]->progress().requests_done;
    }
    options_.on_progress(progress);
  }

  const std::vector<scenario::Plan>& plans_;
  const StudyOptions& options_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<bool> finished_;
  std::vector<Outcome> outcomes_;
  std::size_t started_ = 0, running_ = 0, merged_ = 0;
};

}  // namespace

std::vector<Outcome> run_all(const std::vector<scenario::Plan>& plans,
                             const StudyOptions& options) {
  check(options.jobs >= 1, "a study without workers would never end");
  // Found out before hours of simulation: the file is not ours, or cannot be written.
  store::Store(options.db_path).check_writable();
  return Pool(plans, options).run();
}

}  // namespace tokenyard::study
