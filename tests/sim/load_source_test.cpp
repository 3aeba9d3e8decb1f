#include "sim/load_source.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <utility>
#include <vector>

#include "support/in_process.hpp"

namespace {

using namespace tokenyard;
using sim::LoadSource;
using test::ListStream;
using test::request_after;
using test::request_at;

using Arrival = std::pair<std::int64_t, double>;  // id, time

// Everything due up to `now_s`, in order.
std::vector<Arrival> take(LoadSource& source, double now_s) {
  std::vector<Arrival> arrivals;
  workload::Request request;
  while (source.take_due(now_s, request)) arrivals.emplace_back(request.id, request.arrival_s);
  return arrivals;
}

std::vector<std::int64_t> reject(LoadSource& source, std::int64_t id, double now_s) {
  std::vector<std::int64_t> others;
  source.on_rejected(id, now_s, [&](const workload::Request& r) { others.push_back(r.id); });
  return others;
}

}  // namespace

TEST_CASE("load: an open loop releases requests at their times, whatever finishes") {
  ListStream stream({request_at(0, 1.0, 16, 2), request_at(1, 2.5, 16, 2)});
  LoadSource source(stream, std::nullopt);
  CHECK(source.next_arrival_s() == 1.0);
  CHECK(take(source, 0.9).empty());
  CHECK(take(source, 1.0) == std::vector<Arrival>{{0, 1.0}});
  CHECK(source.next_arrival_s() == 2.5);
  CHECK_FALSE(source.exhausted());
  CHECK(take(source, 3.0) == std::vector<Arrival>{{1, 2.5}});
  CHECK(source.exhausted());
  CHECK(std::isinf(source.next_arrival_s()));
}

TEST_CASE("load: one independent request is read ahead of those that arrive at the same moment") {
  ListStream stream(
      {request_at(0, 1.0, 16, 2), request_at(1, 2.0, 16, 2), request_at(2, 3.0, 16, 2)});
  LoadSource source(stream, std::nullopt);
  CHECK(stream.given() == 2);
  take(source, 1.0);
  CHECK(stream.given() == 3);
}

TEST_CASE(
    "load: who waits for one of several of a moment is known when the first of them is rejected") {
  ListStream stream({request_at(0, 1.0, 16, 2), request_at(1, 1.0, 16, 2),
                     request_after(2, {0, 1}, 1.0), request_at(3, 9.0, 16, 2)});
  LoadSource source(stream, std::nullopt);
  workload::Request first;
  CHECK(source.take_due(1.0, first));
  std::vector<std::int64_t> rejected;
  source.on_rejected(0, 1.0, [&](const workload::Request& r) { rejected.push_back(r.id); });
  CHECK(rejected == std::vector<std::int64_t>{2});
  CHECK(take(source, 1.0) == std::vector<Arrival>{{1, 1.0}});
  source.on_finished(1, 2.0);
  CHECK(source.next_arrival_s() == 9.0);
}

TEST_CASE("load: a turn arrives its think time after the one before has finished") {
  ListStream stream({request_at(0, 1.0, 16, 2), request_after(1, {0}, 10.0),
                     request_after(2, {1}, 0.0), request_at(3, 50.0, 16, 2)});
  LoadSource source(stream, std::nullopt);
  take(source, 1.0);
  CHECK(source.next_arrival_s() == 50.0);
  source.on_finished(0, 4.0);
  CHECK(source.next_arrival_s() == 14.0);
  CHECK(take(source, 14.0) == std::vector<Arrival>{{1, 14.0}});
  source.on_finished(1, 20.0);
  CHECK(take(source, 20.0) == std::vector<Arrival>{{2, 20.0}});
}

TEST_CASE("load: after a fan-out the join waits for the last, and thinks from then on") {
  ListStream stream({request_at(0, 0.0, 16, 2), request_after(1, {0}, 1.0),
                     request_after(2, {0}, 2.0), request_after(3, {1, 2}, 5.0)});
  LoadSource source(stream, std::nullopt);
  take(source, 0.0);
  source.on_finished(0, 10.0);
  CHECK(take(source, 20.0) == std::vector<Arrival>{{1, 11.0}, {2, 12.0}});
  source.on_finished(2, 30.0);
  CHECK(std::isinf(source.next_arrival_s()));
  CHECK_FALSE(source.exhausted());
  source.on_finished(1, 40.0);
  CHECK(take(source, 45.0) == std::vector<Arrival>{{3, 45.0}});
  CHECK(source.exhausted());
}

TEST_CASE("load: an id named twice, or its own, counts once or not at all") {
  ListStream stream(
      {request_at(0, 0.0, 16, 2), request_after(1, {0, 0}, 1.0), request_after(2, {2, 0}, 1.0)});
  LoadSource source(stream, std::nullopt);
  take(source, 0.0);
  source.on_finished(0, 1.0);
  CHECK(take(source, 2.0) == std::vector<Arrival>{{1, 2.0}, {2, 2.0}});
}

TEST_CASE("load: at one moment what became due first goes first, and before new sessions") {
  ListStream stream({request_at(0, 0.0, 16, 2), request_after(1, {0}, 5.0),
                     request_after(2, {0}, 5.0), request_at(3, 10.0, 16, 2)});
  LoadSource source(stream, std::nullopt);
  take(source, 0.0);
  source.on_finished(0, 5.0);
  CHECK(take(source, 10.0) == std::vector<Arrival>{{1, 10.0}, {2, 10.0}, {3, 10.0}});
}

TEST_CASE("load: with 2 in flight the third request arrives when one of them leaves") {
  ListStream stream({request_at(0, 0.0, 16, 2), request_at(1, 7.0, 16, 2),
                     request_at(2, 8.0, 16, 2), request_at(3, 9.0, 16, 2)},
                    512, 2);
  LoadSource source(stream, std::nullopt);
  CHECK(take(source, 0.0) == std::vector<Arrival>{{0, 0.0}, {1, 0.0}});
  CHECK(std::isinf(source.next_arrival_s()));
  source.on_finished(1, 3.0);
  CHECK(take(source, 3.0) == std::vector<Arrival>{{2, 3.0}});
  source.on_finished(0, 4.0);
  source.on_finished(2, 4.0);
  CHECK(take(source, 4.0) == std::vector<Arrival>{{3, 4.0}});
  CHECK(source.exhausted());
}

TEST_CASE("load: with 1 in flight a session keeps its place while it thinks") {
  ListStream stream(
      {request_at(0, 0.0, 16, 2), request_after(1, {0}, 5.0), request_at(2, 0.0, 16, 2)}, 512, 1);
  LoadSource source(stream, std::nullopt);
  take(source, 0.0);
  source.on_finished(0, 1.0);
  CHECK(take(source, 5.9).empty());
  CHECK(take(source, 6.0) == std::vector<Arrival>{{1, 6.0}});
  source.on_finished(1, 8.0);
  CHECK(take(source, 8.0) == std::vector<Arrival>{{2, 8.0}});
}

TEST_CASE(
    "load: with 2 in flight a fan-out of 3 holds new sessions back until one of the 3 is left") {
  ListStream stream(
      {request_at(0, 0.0, 16, 2), request_after(1, {0}, 0.0), request_after(2, {0}, 0.0),
       request_after(3, {0}, 0.0), request_at(4, 0.0, 16, 2), request_at(5, 0.0, 16, 2),
       request_at(6, 0.0, 16, 2)},
      512, 2);
  LoadSource source(stream, std::nullopt);
  CHECK(take(source, 0.0) == std::vector<Arrival>{{0, 0.0}, {4, 0.0}});
  source.on_finished(0, 1.0);
  CHECK(take(source, 1.0) == std::vector<Arrival>{{1, 1.0}, {2, 1.0}, {3, 1.0}});
  source.on_finished(4, 2.0);
  source.on_finished(1, 3.0);
  CHECK(take(source, 3.0).empty());  // 2 and 3 are in flight
  source.on_finished(2, 4.0);
  CHECK(take(source, 4.0) == std::vector<Arrival>{{5, 4.0}});
  source.on_finished(3, 5.0);
  CHECK(take(source, 5.0) == std::vector<Arrival>{{6, 5.0}});
}

TEST_CASE("load: a rejected request takes with it all that waits for it, directly or not") {
  ListStream stream({request_at(0, 0.0, 16, 2), request_after(1, {0}, 1.0),
                     request_after(2, {1}, 1.0), request_at(3, 9.0, 16, 2)});
  LoadSource source(stream, std::nullopt);
  take(source, 0.0);
  CHECK(reject(source, 0, 0.0) == std::vector<std::int64_t>{1, 2});
  CHECK(take(source, 9.0) == std::vector<Arrival>{{3, 9.0}});
  CHECK(source.exhausted());
}

TEST_CASE("load: a join is rejected with one branch, and the end of the other changes nothing") {
  ListStream stream({request_at(0, 0.0, 16, 2), request_after(1, {0}, 0.0),
                     request_after(2, {0}, 0.0), request_after(3, {1, 2}, 0.0)});
  LoadSource source(stream, std::nullopt);
  take(source, 0.0);
  source.on_finished(0, 1.0);
  take(source, 1.0);
  CHECK(reject(source, 1, 1.0) == std::vector<std::int64_t>{3});
  source.on_finished(2, 2.0);
  CHECK(take(source, 1e9).empty());
  CHECK(source.exhausted());
}

TEST_CASE("load: with a fixed number in flight a rejected request is replaced at once") {
  ListStream stream(
      {request_at(0, 0.0, 16, 2), request_after(1, {0}, 1.0), request_at(2, 0.0, 16, 2)}, 512, 1);
  LoadSource source(stream, std::nullopt);
  take(source, 3.0);
  CHECK(reject(source, 0, 3.0) == std::vector<std::int64_t>{1});
  CHECK(take(source, 3.0) == std::vector<Arrival>{{2, 3.0}});
}

TEST_CASE(
    "load: a limit of 2 requests counts dependent ones, and what waits beyond it is never read") {
  ListStream stream({request_at(0, 0.0, 16, 2), request_after(1, {0}, 1.0),
                     request_after(2, {1}, 1.0), request_at(3, 9.0, 16, 2)});
  LoadSource source(stream, 2);
  take(source, 0.0);
  source.on_finished(0, 1.0);
  CHECK(take(source, 2.0) == std::vector<Arrival>{{1, 2.0}});
  source.on_finished(1, 3.0);
  CHECK(source.exhausted());
  CHECK(stream.given() == 2);
}

TEST_CASE("load: a turn that is read only after its predecessor has left is refused") {
  ListStream stream({request_at(0, 0.0, 16, 2), request_at(1, 5.0, 16, 2),
                     request_at(2, 6.0, 16, 2), request_after(3, {0}, 1.0)});
  LoadSource source(stream, std::nullopt);
  take(source, 0.0);
  source.on_finished(0, 2.0);
  CHECK_THROWS_WITH_AS(take(source, 5.0),
                       "error: request 3 waits for request 0, which had left before this was read; "
                       "a trace lists what waits for a request before the next one that arrives by "
                       "itself",
                       InputError);
}

TEST_CASE("load: out of session order, a turn whose predecessor still runs waits for it") {
  ListStream stream(
      {request_at(0, 0.0, 16, 2), request_at(1, 5.0, 16, 2), request_after(2, {0}, 1.0)});
  LoadSource source(stream, std::nullopt);
  take(source, 5.0);
  CHECK(std::isinf(source.next_arrival_s()));
  source.on_finished(0, 7.0);
  CHECK(take(source, 8.0) == std::vector<Arrival>{{2, 8.0}});
}
