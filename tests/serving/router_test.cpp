#include "serving/router.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace {

using tokenyard::scenario::RouterKind;
using tokenyard::serving::Router;
using tokenyard::workload::Request;

std::size_t send(Router& router, const Request& request = {}) {
  const std::size_t replica = router.choose(request);
  router.sent(request, replica);
  return replica;
}

void load(Router& router, std::size_t replica, int requests) {
  for (int i = 0; i < requests; ++i) router.sent({}, replica);
}

Request of_session(std::int64_t session) {
  Request r;
  r.session = session;
  return r;
}

Request with_prefix(std::vector<std::uint64_t> prefix) {
  Request r;
  r.prefix = std::move(prefix);
  return r;
}

}  // namespace

TEST_CASE("round-robin goes in turn whatever the load") {
  Router router(RouterKind::round_robin, 3, 1);
  load(router, 1, 100);
  std::vector<std::size_t> chosen;
  for (int i = 0; i < 7; ++i) chosen.push_back(send(router));
  CHECK(chosen == std::vector<std::size_t>{0, 1, 2, 0, 1, 2, 0});
}

TEST_CASE("least-loaded takes the lowest number among equals") {
  Router router(RouterKind::least_loaded, 5, 1);
  std::vector<std::size_t> chosen;
  for (int i = 0; i < 6; ++i) chosen.push_back(send(router));
  CHECK(chosen == std::vector<std::size_t>{0, 1, 2, 3, 4, 0});
  router.finished({}, 3);
  router.finished({}, 2);
  CHECK(send(router) == 2);
  CHECK(send(router) == 3);
}

TEST_CASE(
    "least-loaded on 1,000 replicas is the replica with the fewest outstanding at every step") {
  constexpr std::size_t kReplicas = 1000;
  Router router(RouterKind::least_loaded, kReplicas, 1);
  tokenyard::RandomStream random(3, "test");
  std::vector<std::int64_t> outstanding(kReplicas, 0);
  std::vector<std::size_t> in_flight;
  for (int i = 0; i < 20'000; ++i) {
    if (in_flight.empty() || random.uniform() < 0.6) {
      const std::size_t chosen = send(router);
      const auto least = std::min_element(outstanding.begin(), outstanding.end());
      REQUIRE(chosen == static_cast<std::size_t>(least - outstanding.begin()));
      ++outstanding[chosen];
      in_flight.push_back(chosen);
    } else {
      const auto which = static_cast<std::size_t>(
          random.integer(0, static_cast<std::int64_t>(in_flight.size()) - 1));
      router.finished({}, in_flight[which]);
      --outstanding[in_flight[which]];
      in_flight[which] = in_flight.back();
      in_flight.pop_back();
    }
  }
  for (std::size_t i = 0; i < kReplicas; ++i) REQUIRE(router.outstanding(i) == outstanding[i]);
}

TEST_CASE("random spreads evenly: of 40,000 over 4, each within 4 deviations of 87 from 10,000") {
  Router router(RouterKind::random, 4, 1);
  std::vector<int> count(4, 0);
  for (int i = 0; i < 40'000; ++i) ++count[send(router)];
  for (const int c : count) CHECK(std::abs(c - 10'000) < 4 * 87);
}

TEST_CASE("power-of-two takes the busier replica only when it draws it twice: 1 in n^2") {
  Router router(RouterKind::power_of_two, 10, 1);
  load(router, 4, 1000);
  int busy = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::size_t chosen = router.choose({});
    if (chosen == 4) ++busy;
  }
  // 20,000 / 100 = 200, deviation 14
  CHECK(busy > 200 - 4 * 14);
  CHECK(busy < 200 + 4 * 14);
}

TEST_CASE("power-of-two balances 1,000 replicas far better than random: at most 5 against over 9") {
  const auto fullest = [](RouterKind kind) {
    Router router(kind, 1000, 1);
    for (int i = 0; i < 3000; ++i) send(router);
    std::int64_t most = 0;
    for (std::size_t i = 0; i < 1000; ++i) most = std::max(most, router.outstanding(i));
    return most;
  };
  CHECK(fullest(RouterKind::power_of_two) <= 5);
  CHECK(fullest(RouterKind::random) > 9);
}

TEST_CASE("two routers of one seed make the same random choices, of two seeds different ones") {
  const auto choices = [](std::uint64_t seed) {
    Router router(RouterKind::random, 1000, seed);
    std::vector<std::size_t> chosen;
    for (int i = 0; i < 20; ++i) chosen.push_back(send(router));
    return chosen;
  };
  CHECK(choices(5) == choices(5));
  CHECK(choices(5) != choices(6));
}

TEST_CASE("session-sticky sends a session where it was, however loaded; a new one to the least") {
  Router router(RouterKind::session_sticky, 3, 1);
  CHECK(send(router, of_session(7)) == 0);
  load(router, 0, 50);
  CHECK(send(router, of_session(7)) == 0);
  CHECK(send(router, of_session(8)) == 1);
  CHECK(send(router) == 2);  // without a session
}

TEST_CASE("session-sticky remembers no session for requests without one") {
  Router router(RouterKind::session_sticky, 2, 1);
  CHECK(send(router) == 0);
  CHECK(send(router) == 1);
}

TEST_CASE("prefix-affinity follows the longest prefix it has sent") {
  Router router(RouterKind::prefix_affinity, 3, 1);
  CHECK(send(router, with_prefix({1, 2})) == 0);
  load(router, 0, 1);
  CHECK(send(router, with_prefix({9})) == 1);
  CHECK(send(router, with_prefix({1, 5})) == 0);  // shares its beginning
  CHECK(send(router, with_prefix({9, 10, 11})) == 1);
  CHECK(send(router, with_prefix({77})) == 2);  // new: the least loaded
}

TEST_CASE("prefix-affinity holds up to twice the least load plus 8, and gives way beyond") {
  Router router(RouterKind::prefix_affinity, 2, 1);
  CHECK(send(router, with_prefix({1})) == 0);
  load(router, 1, 3);
  load(router, 0, 2 * 3 + 8 - 1);
  REQUIRE(router.outstanding(0) == 14);
  CHECK(router.choose(with_prefix({1})) == 0);
  load(router, 0, 1);
  CHECK(router.choose(with_prefix({1})) == 1);
}

TEST_CASE("prefix-affinity follows a session even without prefix ids") {
  Router router(RouterKind::prefix_affinity, 3, 1);
  load(router, 0, 1);
  CHECK(send(router, of_session(4)) == 1);
  load(router, 1, 3);
  CHECK(send(router, of_session(4)) == 1);
}

TEST_CASE("every policy reaches a single replica and counts what it was sent") {
  for (const RouterKind kind :
       {RouterKind::round_robin, RouterKind::random, RouterKind::power_of_two,
        RouterKind::least_loaded, RouterKind::session_sticky, RouterKind::prefix_affinity}) {
    Router router(kind, 1, 1);
    for (int i = 0; i < 3; ++i) CHECK(send(router, of_session(i)) == 0);
    router.finished({}, 0);
    CHECK(router.outstanding(0) == 2);
  }
}

TEST_CASE("replicas that are away are never chosen, and all again when they are back") {
  for (int kind = 0; kind < 7; ++kind) {
    CAPTURE(kind);
    Router router(static_cast<RouterKind>(kind), 4, 1);
    router.set_available(0, false);
    router.set_available(2, false);
    std::set<std::size_t> chosen;
    for (int i = 0; i < 40; ++i) chosen.insert(send(router, of_session(i)));
    CHECK(chosen == std::set<std::size_t>{1, 3});
    router.set_available(1, false);
    router.set_available(3, false);
    CHECK(router.choose({}) == Router::kNobody);
    router.set_available(2, true);
    CHECK(send(router, of_session(7)) == 2);
  }
}

TEST_CASE("a session whose replica is away goes to the least loaded") {
  Router router(RouterKind::session_sticky, 3, 1);
  CHECK(send(router, of_session(4)) == 0);
  router.set_available(0, false);
  CHECK(send(router, of_session(4)) == 1);
  router.set_available(0, true);
  CHECK(send(router, of_session(4)) == 1);
}

TEST_CASE("session-sticky spills over above its load cap: 19 > 1 * 10 + 8") {
  Router router(RouterKind::session_sticky, 2, 1, 1.0);
  CHECK(send(router, of_session(4)) == 0);
  load(router, 0, 17);
  load(router, 1, 10);
  CHECK(send(router, of_session(4)) == 0);
  CHECK(send(router, of_session(4)) == 1);
}

TEST_CASE("least-kv weighs prompts: one of 1,000 tokens against three of 300") {
  Router router(RouterKind::least_kv, 2, 1);
  Request large, small;
  large.input_tokens = 1000;
  small.input_tokens = 300;
  CHECK(send(router, large) == 0);
  for (int i = 0; i < 3; ++i) CHECK(send(router, small) == 1);
  CHECK(send(router, small) == 1);
  CHECK(send(router, small) == 0);
  router.finished(large, 0);
  CHECK(router.outstanding(0) == 300);
}
