// The rows of the request table, kept as far as they are to be stored, and their digest.
#include <algorithm>
#include <array>
#include <cstring>

#include "sim/simulation.hpp"

namespace tokenyard::sim {
namespace {

constexpr std::int64_t kRowsKept = 1'000'000;  // beyond, unless `all` was asked for, every 100th
constexpr std::int64_t kSampleEvery = 100;

}  // namespace

metrics::RequestRow Simulation::row_of(const serving::ActiveRequest& r) const {
  metrics::RequestRow row;
  row.id = r.request.id;
  row.session = r.request.session;
  row.turn = r.request.turn;
  row.class_id = r.request.class_id;
  row.deployment = r.deployment;
  if (r.replica >= 0)
    row.replica = static_cast<std::int32_t>(servers_[static_cast<std::size_t>(r.replica)]->index);
  row.arrival_s = r.arrival_s;
  row.admitted_s = r.admitted_s;
  row.first_token_s = r.first_token_s;
  row.input_tokens = r.request.input_tokens;
  row.cached_tokens = std::max<std::int64_t>(0, r.cached_tokens);
  row.fetched_tokens = r.fetched_tokens;
  row.output_tokens = r.produced;
  row.preemptions = r.preemptions;
  row.tenant = r.request.tenant;
  row.attempts = r.attempts;
  row.phase_s = r.phase_s;
  return row;
}

// Of one that no replica has seen.
metrics::RequestRow Simulation::row_of_lost(const workload::Request& r,
                                            metrics::RequestStatus status, double now_s) {
  metrics::RequestRow row;
  row.id = r.id;
  row.session = r.session;
  row.turn = r.turn;
  row.class_id = r.class_id;
  row.tenant = r.tenant;
  row.arrival_s = now_s;
  row.input_tokens = r.input_tokens;
  row.attempts = 0;
  row.status = status;
  return row;
}

void Simulation::emit(const metrics::RequestRow& row) {
  const std::array<std::int64_t, 10> counts{
      row.id,
      row.session,
      row.turn,
      row.class_id,
      row.deployment,
      row.replica,
      row.input_tokens,
      row.cached_tokens,
      row.output_tokens,
      (static_cast<std::int64_t>(row.preemptions) << 8) | static_cast<std::int64_t>(row.status)};
  const std::array<double, 4> times{row.arrival_s, row.admitted_s, row.first_token_s,
                                    row.finished_s};
  std::array<char, sizeof(counts) + sizeof(times)> bytes{};
  std::memcpy(bytes.data(), counts.data(), sizeof(counts));
  std::memcpy(bytes.data() + sizeof(counts), times.data(), sizeof(times));
  digest_.update({bytes.data(), bytes.size()});
  if (store_ == scenario::StoreRequests::none) return;
  if ((thinning_ || store_ == scenario::StoreRequests::sample) && row.id % kSampleEvery != 0)
    return;
  rows_.push_back(row);
  const bool bounded = !plan_->scenario.store_requests.has_value();
  if (bounded && !thinning_ && static_cast<std::int64_t>(rows_.size()) > kRowsKept) {
    thinning_ = true;
    std::erase_if(rows_, [](const metrics::RequestRow& r) { return r.id % kSampleEvery != 0; });
  }
}

}  // namespace tokenyard::sim
