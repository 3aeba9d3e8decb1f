#include "serving/waiting_line.hpp"

#include <algorithm>
#include <map>

namespace tokenyard::serving {
namespace {

// A place in line; stale when its request has left since.
struct Place {
  Handle handle;
  std::uint32_t stay;
};

}  // namespace

class WaitingLine::Order {
 public:
  explicit Order(RequestSlots& slots) : slots_(&slots) {}
  virtual ~Order() = default;
  virtual Handle first() = 0;
  virtual void take_first() = 0;
  virtual void add(Handle handle, bool again) = 0;
  virtual void served(const ActiveRequest&) {}

 protected:
  [[nodiscard]] Place place_of(Handle handle) { return {handle, (*slots_)[handle].stay}; }
  [[nodiscard]] bool is_stale(const Place& place) {
    return (*slots_)[place.handle].stay != place.stay;
  }
  void drop_stale(std::deque<Place>& places) {
    while (!places.empty() && is_stale(places.front())) places.pop_front();
  }
  RequestSlots* slots_;
};

namespace {

class FirstCome final : public WaitingLine::Order {
 public:
  using Order::Order;
  Handle first() override {
    drop_stale(places_);
    return places_.front().handle;
  }
  void take_first() override {
    drop_stale(places_);
    places_.pop_front();
  }
  void add(Handle handle, bool again) override {
    again ? places_.push_front(place_of(handle)) : places_.push_back(place_of(handle));
  }

 private:
  std::deque<Place> places_;
};

// Ranked by a number that does not change while a request waits: the lowest first.
class Ranked final : public WaitingLine::Order {
 public:
  using Rank = std::int64_t (*)(const ActiveRequest&);
  Ranked(RequestSlots& slots, Rank rank, const std::optional<Seconds>& ageing)
      : Order(slots), rank_(rank), per_s_(ageing ? 1.0 / ageing->base() : 0.0) {}
  Handle first() override {
    drop();
    return std::get<2>(*places_.begin());
  }
  void take_first() override {
    drop();
    places_.erase(places_.begin());
  }
  void add(Handle handle, bool again) override {
    const Place place = place_of(handle);
    const ActiveRequest& r = (*slots_)[handle];
    const double rank = static_cast<double>(rank_(r)) + r.arrival_s * per_s_;
    places_.emplace(rank, again ? --before_ : ++after_, handle, place.stay);
  }

 private:
  void drop() {
    while (is_stale({std::get<2>(*places_.begin()), std::get<3>(*places_.begin())}))
      places_.erase(places_.begin());
  }
  Rank rank_;
  double per_s_;  // by which it is lower for each second that a request came earlier
  std::int64_t before_ = 0, after_ = 0;
  std::set<std::tuple<double, std::int64_t, Handle, std::uint32_t>> places_;
};

class FairShare final : public WaitingLine::Order {
 public:
  using Order::Order;
  Handle first() override { return next()->places.front().handle; }
  void take_first() override {
    Tenant& tenant = *next();
    ActiveRequest& r = (*slots_)[tenant.places.front().handle];
    tenant.places.pop_front();
    // What it computes again was charged before.
    if (r.admitted_s < 0.0) tenant.served += r.request.input_tokens;
  }
  void add(Handle handle, bool again) override {
    const std::int32_t number = (*slots_)[handle].request.tenant;
    Tenant* least = next();
    Tenant& tenant = tenants_[number];
    drop_stale(tenant.places);
    if (tenant.places.empty() && least != nullptr)
      tenant.served = std::max(tenant.served, least->served);
    again ? tenant.places.push_front(place_of(handle)) : tenant.places.push_back(place_of(handle));
  }
  void served(const ActiveRequest& r) override {
    tenants_[r.request.tenant].served += 2 * r.request.output_tokens;
  }

 private:
  struct Tenant {
    std::int64_t served = 0;  // tokens
    std::deque<Place> places;
  };
  // The least served of those in line; ties: the lowest number.  Null when nobody is in line.
  Tenant* next() {
    Tenant* least = nullptr;
    for (auto& [number, tenant] : tenants_) {
      drop_stale(tenant.places);
      if (tenant.places.empty()) continue;
      if (least == nullptr || tenant.served < least->served) least = &tenant;
    }
    return least;
  }
  std::map<std::int32_t, Tenant> tenants_;
};

std::unique_ptr<WaitingLine::Order> order_of(const scenario::SchedulerSpec& scheduler,
                                             RequestSlots& slots) {
  switch (scheduler.admission) {
    case scenario::Admission::fcfs:
      return std::make_unique<FirstCome>(slots);
    case scenario::Admission::priority:
      return std::make_unique<Ranked>(
          slots, [](const ActiveRequest& r) { return -r.priority; }, scheduler.ageing);
    case scenario::Admission::shortest_job_first:
      return std::make_unique<Ranked>(
          slots, [](const ActiveRequest& r) { return r.predicted_tokens; }, scheduler.ageing);
    case scenario::Admission::fair_share:
      return std::make_unique<FairShare>(slots);
  }
  return nullptr;
}

}  // namespace

WaitingLine::WaitingLine(const scenario::SchedulerSpec& scheduler, RequestSlots& slots)
    : slots_(&slots),
      order_(order_of(scheduler, slots)),
      deferred_(std::make_unique<FirstCome>(slots)) {}

WaitingLine::~WaitingLine() = default;

Handle WaitingLine::first() {
  return front().first();
}

void WaitingLine::take_first() {
  Order& from = front();
  if (&from == deferred_.get()) --deferred_size_;
  --size_;
  from.take_first();
}

void WaitingLine::add(Handle handle, bool again) {
  const bool deferred = (*slots_)[handle].deferred;
  (deferred ? deferred_ : order_)->add(handle, again);
  ++size_;
  if (deferred) ++deferred_size_;
}

void WaitingLine::remove(Handle handle) {
  ActiveRequest& r = (*slots_)[handle];
  ++r.stay;
  --size_;
  if (r.deferred) --deferred_size_;
}

void WaitingLine::served(const ActiveRequest& request) {
  order_->served(request);
}

std::vector<Handle> WaitingLine::take_all() {
  std::vector<Handle> all;
  while (!empty()) {
    all.push_back(first());
    take_first();
  }
  return all;
}

}  // namespace tokenyard::serving
