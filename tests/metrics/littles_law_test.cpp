#include "metrics/littles_law.hpp"

#include <doctest/doctest.h>

#include <deque>

#include "base/random.hpp"

using tokenyard::InternalError;
using tokenyard::RandomStream;
using tokenyard::metrics::LittlesLaw;

TEST_CASE("A inside for 4 s and B for 2 s give an integral of 6 request-seconds") {
  LittlesLaw law;
  law.enter(0);
  law.enter(1);
  law.leave(3, 1);
  law.leave(4, 0);
  law.end(5);
  CHECK(law.integral_s() == 6.0);
  CHECK(law.sojourn_s() == 6.0);
  CHECK(law.relative_error() == 0.0);
}

TEST_CASE("a request still inside counts up to the end: 1 from 2 s to 10 s is 8") {
  LittlesLaw law;
  law.enter(2);
  law.end(10);
  law.remains(2);
  CHECK(law.integral_s() == 8.0);
  CHECK(law.sojourn_s() == 8.0);
  CHECK(law.inside() == 1);
}

TEST_CASE("the two sides agree to rounding over a queue of 100000 requests") {
  RandomStream random(1, "little");
  LittlesLaw law;
  std::deque<double> inside;
  double t = 0.0;
  for (int i = 0; i < 200'000; ++i) {
    t += random.exponential(1.0);
    if (inside.empty() || random.uniform() < 0.5) {
      law.enter(t);
      inside.push_back(t);
    } else {
      law.leave(t, inside.front());
      inside.pop_front();
    }
  }
  law.end(t);
  for (const double entered : inside) law.remains(entered);
  CHECK(law.relative_error() < 1e-11);
}

TEST_CASE("a request that leaves with a wrong arrival time shows") {
  LittlesLaw law;
  law.enter(0);
  law.enter(1);
  law.leave(3, 2);  // entered at 1
  law.leave(4, 0);
  CHECK(law.relative_error() == doctest::Approx(1.0 / 6.0));
}

TEST_CASE("time does not run backwards, and nobody leaves an empty system") {
  LittlesLaw law;
  law.enter(2);
  CHECK_THROWS_AS(law.enter(1), InternalError);
  law.leave(3, 2);
  CHECK_THROWS_AS(law.leave(4, 2), InternalError);
}
