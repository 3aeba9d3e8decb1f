// Requests that leave before their end: turned away, clients that give up or ask again, samples that lost,
// work that was lost with a replica.
//
// A client that asks again starts anew, and its earlier attempt's tokens are thrown away; its latencies
// count from its first attempt, as it sees them.  What the fleet itself loses it computes again with the
// tokens that it has given out: prompt and answer so far are the new prompt.
//
// Worked example: a timeout of 2 s, two retries, a backoff of 1 s.  Who is never served asks at 0, 3 and 7 s and
// has given up at 9 s.
#include <algorithm>
#include <cmath>

#include "sim/simulation.hpp"

namespace tokenyard::sim {

using metrics::RequestStatus;
using serving::Leaving;
using serving::Stage;

namespace {

// A closed loop replaces a rejected request at once: an endless one that never fits would not end.
constexpr std::int64_t kHopeless = 100'000;

}  // namespace

void Simulation::reject(const workload::Request& request, double now_s, std::int64_t& count) {
  if (++rejected_in_a_row_ > kHopeless && stream_->concurrency() && stream_->endless()) {
    throw InputError("workload: not one of " + std::to_string(kHopeless) +
                     " requests in a row is taken by a replica; the last has " +
                     std::to_string(request.input_tokens) + " + " +
                     std::to_string(request.output_tokens) + " tokens");
  }
  const auto record = [this, now_s](const workload::Request& r, bool with_session) {
    const metrics::RequestRow row = row_of_lost(r, RequestStatus::rejected, now_s);
    accumulator_.on_rejected(row);
    if (with_session) accumulator_.on_session_lost(row);
    ++done_;
    emit(row);
  };
  ++count;
  const bool goes_on = another_answers(request.group, 0);
  record(request, !goes_on);
  if (goes_on) {
    source_.on_cancelled(request.id, now_s);
    return;
  }
  source_.on_rejected(request.id, now_s, [&](const workload::Request& follower) {
    ++seen_;
    record(follower, true);
  });
}

// Another sample of the group has answered or may: who waits for them goes on.  `own`: members that do not
// count.
bool Simulation::another_answers(std::int64_t group, std::size_t own) const {
  const auto samples = samples_of_group_.find(group);
  return samples != samples_of_group_.end() &&
         (samples->second.decided || samples->second.members.size() > own);
}

// What its client will do unless it is served by then.
void Simulation::appoint(serving::ActiveRequest& r, serving::Handle handle, double now_s) {
  r.ticket = ++tickets_;
  const scenario::ClientSpec& client = plan_->scenario.serving.client;
  if (std::isfinite(r.request.patience_s)) {
    const double at_s = std::max(now_s, r.arrival_s + r.request.patience_s);
    appointments_.make(at_s, handle, r.ticket, Matter::gives_up);
  }
  if (client.timeout)
    appointments_.make(now_s + client.timeout->base(), handle, r.ticket, Matter::times_out);
  arm_appointments();
}

// Who asked several times has one when any of the samples has.
bool Simulation::client_has_token(const serving::ActiveRequest& r) {
  if (r.first_token_s >= 0.0) return true;
  const auto found = samples_of_group_.find(r.request.group);
  if (r.request.group < 0 || found == samples_of_group_.end()) return false;
  const std::vector<serving::Handle>& members = found->second.members;
  return std::any_of(members.begin(), members.end(),
                     [&](serving::Handle handle) { return slots_[handle].first_token_s >= 0.0; });
}

void Simulation::arm_appointments() {
  const double next_s = appointments_.next_s();
  if (appointment_timer_ != nullptr) {
    if (next_s == appointment_armed_s_) return;
    calendar_->cancel(appointment_timer_);
    appointment_timer_ = nullptr;
  }
  if (!std::isfinite(next_s)) return;
  appointment_armed_s_ = next_s;
  appointment_timer_ = calendar_->at(next_s, *this, kAppointments);
}

void Simulation::on_appointments() {
  if (stopped_) return;
  const double now_s = appointment_armed_s_;
  while (appointments_.next_s() <= now_s) {
    const Appointments::Appointment due = appointments_.take();
    serving::ActiveRequest& r = slots_[due.handle];
    if (r.ticket != due.ticket || r.leaving != Leaving::no) continue;
    last_event_s_ = std::max(last_event_s_, now_s);
    ++events_;
    switch (due.matter) {
      case Matter::gives_up:
        if (!client_has_token(r)) withdraw(due.handle, Leaving::abandoned, now_s);
        break;
      case Matter::times_out: {
        const bool served =
            plan_->scenario.serving.client.waits_for == scenario::WaitsFor::first_token &&
            r.first_token_s >= 0.0;
        if (!served) withdraw(due.handle, Leaving::timed_out, now_s);
        break;
      }
      case Matter::comes_again:
        appoint(r, due.handle, now_s);
        dispatch(due.handle, now_s);
        break;
      case Matter::is_sent_elsewhere:
        dispatch(due.handle, now_s);
        break;
    }
  }
  begin_touched(now_s);
  arm_appointments();
  arm_arrivals();
}

// At once, or at the next step boundary of its replica.
void Simulation::withdraw(serving::Handle handle, Leaving why, double now_s) {
  serving::ActiveRequest& r = slots_[handle];
  if (r.produced == r.request.output_tokens) return;  // it ends at this very moment
  r.leaving = why;
  break_promise(handle, now_s);
  if (r.stage == Stage::nowhere) {
    std::erase(parked_, handle);
    if (r.group >= 0)
      in_front_by_pool_[servers_[static_cast<std::size_t>(r.replica)]->deployment->pool] -= 1.0;
    gone(handle, now_s);
    return;
  }
  // Its prompt is computed at this very moment: it is dropped instead of being sent.
  if (r.stage == Stage::held && r.sender < 0) return;
  void_transfer(r);
  const bool at_sender = r.brings == serving::Brings::sent && r.stage != Stage::delivered;
  if (at_sender && why != Leaving::restarted) release_sender(handle, now_s);
  const auto s = static_cast<std::size_t>(r.replica);
  Server& server = *servers_[s];
  if (server.rests) account_resting(server, now_s);
  if (server.replica.withdraw(now_s, handle)) {
    gone(handle, now_s);
  } else if (server.replica.idle()) {
    take_left(server, now_s);
  }
  if (s == between_runs_) return;
  if (!server.replica.idle()) {
    arm(s);
  } else if (server.replica.has_news() || server.slot != nullptr) {
    touch(s);
  } else {
    when_drained(s, now_s);
  }
}

void Simulation::take_left(const Server& server, double now_s) {
  const std::vector<serving::Handle> left = server.replica.left();
  for (const serving::Handle handle : left) gone(handle, now_s);
}

// It is on no replica any more.
void Simulation::gone(serving::Handle handle, double now_s) {
  serving::ActiveRequest& r = slots_[handle];
  forget_routing(r);
  switch (r.leaving) {
    case Leaving::cancelled:
      end_early(handle, RequestStatus::cancelled, now_s);
      break;
    case Leaving::abandoned:
      end_early(handle, RequestStatus::abandoned, now_s);
      break;
    case Leaving::timed_out:
      ask_again(handle, now_s);
      break;
    case Leaving::restarted:
      restart(handle, now_s);
      break;
    case Leaving::no:
      check(false, "a request left that nobody withdrew");
  }
}

// Its client comes again, or has done so often enough.
void Simulation::ask_again(serving::Handle handle, double now_s) {
  serving::ActiveRequest& r = slots_[handle];
  const scenario::ClientSpec& client = plan_->scenario.serving.client;
  if (r.client_attempts > client.retries) {
    end_early(handle, RequestStatus::abandoned, now_s);
    return;
  }
  tokens_accounted_ += r.produced;
  tokens_given_up_ += r.produced;
  serving::ActiveRequest next;
  next.stay = r.stay;
  next.request = std::move(r.request);
  next.arrival_s = r.arrival_s;
  next.priority = r.priority;
  next.predicted_tokens = r.predicted_tokens;
  next.deferred = r.deferred;
  next.preemptions = r.preemptions;
  next.attempts = r.attempts + 1;
  next.client_attempts = r.client_attempts + 1;
  r.enter(Phase::redo, now_s);
  next.phase_s = r.phase_s;
  next.phase = Phase::redo;
  next.phase_since_s = now_s;
  next.ticket = ++tickets_;
  const double wait_s = std::ldexp(client.backoff.base(), static_cast<int>(r.client_attempts) - 1);
  r = std::move(next);
  appointments_.make(now_s + wait_s, handle, r.ticket, Matter::comes_again);
  arm_appointments();
}

// What it had is computed again elsewhere, as soon as somebody has noticed.
void Simulation::restart(serving::Handle handle, double now_s) {
  serving::ActiveRequest& r = slots_[handle];
  r.leaving = Leaving::no;
  r.brings = serving::Brings::nothing;
  r.stage = Stage::nowhere;
  r.sender = -1;
  ++r.attempts;
  r.enter(r.first_token_s >= 0.0 ? Phase::redo : Phase::front_end, now_s);
  appointments_.make(now_s + plan_->scenario.faults.detection.base(), handle, r.ticket,
                     Matter::is_sent_elsewhere);
  arm_appointments();
}

// The best of several samples is there: nobody wants the others.
void Simulation::cancel_losers(const workload::Request& winner, double now_s) {
  const auto found = samples_of_group_.find(winner.group);
  if (found == samples_of_group_.end() || found->second.decided) return;
  found->second.decided = true;
  const std::vector<serving::Handle> members = found->second.members;
  for (const serving::Handle handle : members) {
    const serving::ActiveRequest& r = slots_[handle];
    const bool has_finished = r.produced == r.request.output_tokens;
    if (!has_finished && r.leaving == Leaving::no) withdraw(handle, Leaving::cancelled, now_s);
  }
}

void Simulation::end_early(serving::Handle handle, RequestStatus status, double now_s) {
  serving::ActiveRequest& r = slots_[handle];
  forget_routing(r);
  metrics::RequestRow row = row_of(r);
  row.status = status;
  tokens_accounted_ += r.produced;
  littles_law_.leave(now_s, r.arrival_s);
  ++done_;
  if (status == RequestStatus::cancelled) {
    accumulator_.on_cancelled(row);
    emit(row);
    source_.on_cancelled(row.id, now_s);
  } else {
    accumulator_.on_abandoned(row);
    emit(row);
    if (another_answers(r.request.group, 1)) {
      source_.on_cancelled(row.id, now_s);
      vacate(handle);
      return;
    }
    accumulator_.on_session_lost(row);
    sessions_.erase(row.session);
    source_.on_abandoned(row.id, now_s, [&](const workload::Request& follower) {
      ++seen_;
      const metrics::RequestRow lost = row_of_lost(follower, RequestStatus::abandoned, now_s);
      accumulator_.on_abandoned(lost);
      accumulator_.on_session_lost(lost);
      ++done_;
      emit(lost);
    });
  }
  vacate(handle);
}

// The session of a request that has finished; `ended`: nothing waited for it.
void Simulation::note_session(const metrics::RequestRow& row, bool ended) {
  metrics::SessionRow& session = sessions_[row.session];
  if (session.requests++ == 0) {
    session.id = row.session;
    session.start_s = row.arrival_s;
  }
  session.end_s = row.finished_s;
  session.serving_s += row.finished_s - row.arrival_s;
  session.good = session.good && slo_.met_by(metrics::latency_of(row));
  if (!ended) return;
  accumulator_.on_session(session);
  sessions_.erase(row.session);
}

void Simulation::vacate(serving::Handle handle) {
  const std::int64_t group = slots_[handle].request.group;
  if (group >= 0) {
    const auto found = samples_of_group_.find(group);
    std::erase(found->second.members, handle);
    if (found->second.members.empty()) samples_of_group_.erase(found);
  }
  check(slots_[handle].promised_by < 0, "a request has ended that holds room elsewhere");
  in_flight_[static_cast<std::size_t>(handle)] = 0;
  slots_.remove(handle);
}

}  // namespace tokenyard::sim
