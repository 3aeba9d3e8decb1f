#include "base/keyed_stream.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <set>

using namespace tokenyard;

TEST_CASE("a key's numbers depend on seed, name and key alone, and differ with each of them") {
  KeyedStream first = KeyedStreams(1, "acceptance").of(7);
  KeyedStream again = KeyedStreams(1, "acceptance").of(7);
  for (int i = 0; i < 10; ++i) CHECK(first() == again());
  std::set<std::uint64_t> starts;
  for (const std::uint64_t seed : {0U, 1U, 2U}) {
    for (const char* name : {"acceptance", "acceptancf", "b"}) {
      for (std::int64_t key = 0; key < 1000; ++key)
        starts.insert(KeyedStreams(seed, name).of(key)());
    }
  }
  CHECK(starts.size() == 9000);
}

// 100,000 numbers: the mean of a uniform one is within 4 / sqrt(12 * 100,000) = 0.0037 of 1/2.
TEST_CASE("first numbers of neighbouring keys, and numbers of one key, are uniform and unrelated") {
  constexpr int kNumbers = 100'000;
  const KeyedStreams streams(3, "x");
  KeyedStream one = streams.of(0);
  double across = 0.0;
  double along = 0.0;
  double product = 0.0;
  for (int key = 0; key < kNumbers; ++key) {
    KeyedStream stream = streams.of(key);
    const double u = stream.uniform();
    REQUIRE(u >= 0.0);
    REQUIRE(u < 1.0);
    across += u;
    product += u * streams.of(key + 1).uniform();
    along += one.uniform();
  }
  CHECK(std::abs(across / kNumbers - 0.5) < 0.0037);
  CHECK(std::abs(along / kNumbers - 0.5) < 0.0037);
  CHECK(std::abs(product / kNumbers - 0.25) < 0.003);
}

TEST_CASE("a beta share has the mean and the deviation that it was asked for") {
  const KeyedStreams streams(5, "x");
  for (const auto& asked : {std::pair{0.8, 0.1}, {0.5, 0.4}, {0.1, 0.05}}) {
    const double mean = asked.first;
    const double deviation = asked.second;
    CAPTURE(mean);
    double sum = 0.0;
    double squares = 0.0;
    for (int key = 0; key < 40'000; ++key) {
      const double share = streams.of(key).beta(mean, deviation);
      REQUIRE(share >= 0.0);
      REQUIRE(share <= 1.0);
      sum += share;
      squares += share * share;
    }
    const double found = sum / 40'000;
    CHECK(std::abs(found - mean) < 4 * deviation / 200);
    // Four standard errors where the kurtosis is below 6: 4 sqrt(5 / (4 * 40,000)).
    CHECK(std::sqrt(squares / 40'000 - found * found) ==
          doctest::Approx(deviation).epsilon(0.0224));
  }
}
