#include "serving/router.hpp"

#include <utility>

namespace tokenyard::serving {
namespace {

constexpr std::size_t kNobody = static_cast<std::size_t>(-1);

bool remembers_sessions(scenario::RouterKind kind) {
  return kind == scenario::RouterKind::session_sticky ||
         kind == scenario::RouterKind::prefix_affinity;
}

}  // namespace

Router::Router(scenario::RouterKind kind, std::size_t replicas, std::uint64_t seed)
    : kind_(kind), random_(seed, "routing"), load_(replicas, 0) {
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

std::size_t Router::choose(const workload::Request& request) {
  const auto last = static_cast<std::int64_t>(load_.size()) - 1;
  switch (kind_) {
    case scenario::RouterKind::round_robin:
      return turn_++ % load_.size();
    case scenario::RouterKind::random:
      return static_cast<std::size_t>(random_.integer(0, last));
    case scenario::RouterKind::power_of_two: {
      const auto a = static_cast<std::size_t>(random_.integer(0, last));
      const auto b = static_cast<std::size_t>(random_.integer(0, last));
      return load_[b] < load_[a] ? b : a;
    }
    case scenario::RouterKind::least_loaded:
      return least_loaded();
    case scenario::RouterKind::session_sticky: {
      const std::size_t place = of_session(request);
      return place != kNobody ? place : least_loaded();
    }
    case scenario::RouterKind::prefix_affinity: {
      const std::size_t near = by_affinity(request);
      const std::size_t least = least_loaded();
      return near != kNobody && load_[near] <= 2 * load_[least] + 8 ? near : least;
    }
  }
  return 0;
}

void Router::sent(const workload::Request& request, std::size_t replica) {
  set_load(replica, load_[replica] + 1);
  if (!remembers_sessions(kind_)) return;
  const auto place = static_cast<std::uint32_t>(replica);
  if (request.session >= 0) {
    session_replica_.put(static_cast<std::uint64_t>(request.session), place);
  }
  if (kind_ != scenario::RouterKind::prefix_affinity) return;
  for (const std::uint64_t id : request.prefix) prefix_replica_.put(id, place);
}

void Router::finished(std::size_t replica) {
  set_load(replica, load_[replica] - 1);
}

}  // namespace tokenyard::serving
