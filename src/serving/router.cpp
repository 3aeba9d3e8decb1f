#include "serving/router.hpp"

#include <limits>
#include <utility>

namespace tokenyard::serving {
namespace {

constexpr double kNoCap = std::numeric_limits<double>::infinity();
constexpr double kCapSlack = 8.0;

bool remembers_sessions(scenario::RouterKind kind) {
  return kind == scenario::RouterKind::session_sticky ||
         kind == scenario::RouterKind::prefix_affinity;
}

}  // namespace

Router::Router(scenario::RouterKind kind, std::size_t replicas, std::uint64_t seed,
               std::optional<double> load_cap)
    : kind_(kind),
      load_cap_(load_cap.value_or(kind == scenario::RouterKind::prefix_affinity ? 2.0 : kNoCap)),
      random_(seed, "routing"),
      load_(replicas, 0),
      available_(replicas, 1) {
  while (leaves_ < replicas) leaves_ *= 2;
  tree_.assign(2 * leaves_, kNobody);
  for (std::size_t i = 0; i < replicas; ++i) tree_[leaves_ + i] = i;
  for (std::size_t i = leaves_ - 1; i >= 1; --i) tree_[i] = lighter(tree_[2 * i], tree_[2 * i + 1]);
}

std::size_t Router::lighter(std::size_t a, std::size_t b) const {
  if (b == kNobody) return a;
  if (a == kNobody) return b;
  return load_[b] < load_[a] ? b : a;
}

void Router::set_load(std::size_t replica, std::int64_t load) {
  load_[replica] = load;
  update_tree(replica);
}

void Router::set_available(std::size_t replica, bool available) {
  if (this->available(replica) == available) return;
  available_[replica] = available ? 1 : 0;
  available ? --away_ : ++away_;
  tree_[leaves_ + replica] = available ? replica : kNobody;
  update_tree(replica);
}

void Router::update_tree(std::size_t replica) {
  for (std::size_t i = (leaves_ + replica) / 2; i >= 1; i /= 2)
    tree_[i] = lighter(tree_[2 * i], tree_[2 * i + 1]);
}

std::uint32_t RecentPlaces::find(std::uint64_t key) const {
  if (const auto found = young_.find(key); found != young_.end()) return found->second;
  const auto found = old_.find(key);
  return found != old_.end() ? found->second : kNowhere;
}

void RecentPlaces::put(std::uint64_t key, std::uint32_t place) {
  young_[key] = place;
  if (young_.size() < kGeneration) return;
  old_ = std::move(young_);
  young_.clear();
}

std::size_t Router::of_session(const workload::Request& request) const {
  if (request.session < 0) return kNobody;
  const std::uint32_t place = session_replica_.find(static_cast<std::uint64_t>(request.session));
  return place != RecentPlaces::kNowhere ? place : kNobody;
}

std::size_t Router::by_affinity(const workload::Request& request) const {
  if (const std::size_t place = of_session(request); place != kNobody) return place;
  // The longest prefix first: an id stands for everything before it.
  for (auto id = request.prefix.rbegin(); id != request.prefix.rend(); ++id) {
    if (const std::uint32_t place = prefix_replica_.find(*id); place != RecentPlaces::kNowhere) {
      return place;
    }
  }
  return kNobody;
}

std::size_t Router::random_available() {
  const auto last = static_cast<std::int64_t>(load_.size()) - 1;
  for (;;) {
    const auto drawn = static_cast<std::size_t>(random_.integer(0, last));
    if (available(drawn)) return drawn;
  }
}

std::size_t Router::near_or_least(std::size_t near) const {
  const std::size_t least = least_loaded();
  if (near == kNobody || !available(near)) return least;
  const auto limit = load_cap_ * static_cast<double>(load_[least]) + kCapSlack;
  return static_cast<double>(load_[near]) <= limit || load_cap_ == kNoCap ? near : least;
}

std::size_t Router::choose(const workload::Request& request) {
  if (away_ == load_.size()) return kNobody;
  switch (kind_) {
    case scenario::RouterKind::round_robin:
      while (!available(turn_ % load_.size())) ++turn_;
      return turn_++ % load_.size();
    case scenario::RouterKind::random:
      return random_available();
    case scenario::RouterKind::power_of_two: {
      const std::size_t a = random_available();
      const std::size_t b = random_available();
      return load_[b] < load_[a] ? b : a;
    }
    case scenario::RouterKind::least_loaded:
    case scenario::RouterKind::least_kv:
      return least_loaded();
    case scenario::RouterKind::session_sticky:
      return near_or_least(of_session(request));
    case scenario::RouterKind::prefix_affinity:
      return near_or_least(by_affinity(request));
  }
  return 0;
}

void Router::sent(const workload::Request& request, std::size_t replica) {
  set_load(replica, load_[replica] + weight(request));
  if (!remembers_sessions(kind_)) return;
  const auto place = static_cast<std::uint32_t>(replica);
  if (request.session >= 0) {
    session_replica_.put(static_cast<std::uint64_t>(request.session), place);
  }
  if (kind_ != scenario::RouterKind::prefix_affinity) return;
  for (const std::uint64_t id : request.prefix) prefix_replica_.put(id, place);
}

void Router::finished(const workload::Request& request, std::size_t replica) {
  set_load(replica, load_[replica] - weight(request));
}

}  // namespace tokenyard::serving
