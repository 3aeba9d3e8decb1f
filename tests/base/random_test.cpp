#include "base/random.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"

using namespace tokenyard;

namespace {

constexpr int kDraws = 200'000;

struct Moments {
  double mean = 0.0;
  double variance = 0.0;
};

Moments moments(const std::function<double()>& draw) {
  double sum = 0.0;
  double squares = 0.0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = draw();
    sum += x;
    squares += x * x;
  }
  const double mean = sum / kDraws;
  return {mean, squares / kDraws - mean * mean};
}

std::vector<double> first(RandomStream& stream, int count) {
  std::vector<double> numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(stream.uniform());
  return numbers;
}

// Five standard errors of a mean of kDraws: a wrong generator is far outside, chance is one in a
// million.
double five_errors(double variance) {
  return 5.0 * std::sqrt(variance / kDraws);
}

}  // namespace

TEST_CASE("the same seed and name give the same numbers") {
  RandomStream a(7, "arrivals");
  RandomStream b(7, "arrivals");
  CHECK(first(a, 1000) == first(b, 1000));
}

TEST_CASE("another seed or another name gives other numbers") {
  RandomStream a(7, "arrivals");
  RandomStream other_seed(8, "arrivals");
  RandomStream other_name(7, "lengths");
  const std::vector<double> numbers = first(a, 10);
  CHECK(numbers != first(other_seed, 10));
  CHECK(numbers != first(other_name, 10));
}

TEST_CASE("drawing from one stream does not shift another") {
  RandomStream alone(1, "lengths");
  const std::vector<double> expected = first(alone, 100);
  RandomStream arrivals(1, "arrivals");
  RandomStream lengths(1, "lengths");
  std::vector<double> drawn;
  for (int i = 0; i < 100; ++i) {
    for (int j = 0; j <= i % 3; ++j) arrivals.exponential(1.0);
    drawn.push_back(lengths.uniform());
  }
  CHECK(drawn == expected);
}

TEST_CASE("streams of one seed, and one stream of neighbouring seeds, are uncorrelated") {
  const auto correlation = [](RandomStream a, RandomStream b) {
    double product = 0.0;
    for (int i = 0; i < kDraws; ++i) product += (a.uniform() - 0.5) * (b.uniform() - 0.5);
    return product / kDraws / (1.0 / 12.0);
  };
  const double limit = 5.0 / std::sqrt(kDraws);
  CHECK(std::abs(correlation({1, "arrivals"}, {1, "lengths"})) < limit);
  CHECK(std::abs(correlation({1, "arrivals"}, {2, "arrivals"})) < limit);
  CHECK(std::abs(correlation({0, "a"}, {0, "b"})) < limit);
}

TEST_CASE("a stream that was moved goes on where it was") {
  RandomStream a(5, "x");
  RandomStream b(5, "x");
  a.uniform();
  b.uniform();
  RandomStream moved = std::move(a);
  CHECK(moved.uniform() == b.uniform());
}

TEST_CASE("seed 0 and an empty name are the standard's mt19937_64 seeded with FNV's offset basis") {
  // The engine is fixed by the C++ standard, so the numbers are the same with every library.
  std::mt19937_64 reference(0xcbf29ce484222325ULL);
  RandomStream stream(0, "");
  for (int i = 0; i < 1000; ++i) {
    CHECK(stream.uniform() == std::ldexp(static_cast<double>(reference()), -64));
  }
}

TEST_CASE("uniform numbers have mean 1/2 and variance 1/12 and stay in [0, 1)") {
  RandomStream random(1, "uniform");
  const Moments m = moments([&] {
    const double u = random.uniform();
    if (u < 0.0 || u >= 1.0) FAIL("outside [0, 1): " << u);
    return u;
  });
  CHECK(std::abs(m.mean - 0.5) < five_errors(1.0 / 12));
  CHECK(m.variance == doctest::Approx(1.0 / 12).epsilon(0.02));
}

TEST_CASE("a uniform number between 10 and 30 has mean 20 and variance 400/12") {
  RandomStream random(1, "range");
  const Moments m = moments([&] { return random.uniform(10.0, 30.0); });
  CHECK(std::abs(m.mean - 20.0) < five_errors(400.0 / 12));
  CHECK(m.variance == doctest::Approx(400.0 / 12).epsilon(0.02));
}

TEST_CASE("integers from 3 to 6 hit each of the four equally often, both ends included") {
  RandomStream random(1, "integer");
  std::vector<int> hits(10, 0);
  for (int i = 0; i < kDraws; ++i) ++hits[static_cast<std::size_t>(random.integer(3, 6))];
  for (std::size_t i = 0; i < hits.size(); ++i) {
    const double expected = i >= 3 && i <= 6 ? kDraws / 4.0 : 0.0;
    CHECK(std::abs(hits[i] - expected) <= 5.0 * std::sqrt(kDraws * 0.25 * 0.75));
    if (expected == 0.0) CHECK(hits[i] == 0);
  }
  CHECK(random.integer(5, 5) == 5);
}

TEST_CASE("an exponential time of mean 4 has variance 16 and exceeds its mean with chance 1/e") {
  RandomStream random(1, "exponential");
  int beyond = 0;
  const Moments m = moments([&] {
    const double x = random.exponential(4.0);
    beyond += x > 4.0 ? 1 : 0;
    return x;
  });
  CHECK(std::abs(m.mean - 4.0) < five_errors(16.0));
  CHECK(m.variance == doctest::Approx(16.0).epsilon(0.04));
  CHECK(std::abs(beyond / double{kDraws} - std::exp(-1.0)) < five_errors(0.2325));
}

TEST_CASE("a normal number of mean -3 and deviation 2 has variance 4") {
  RandomStream random(1, "normal");
  const Moments m = moments([&] { return random.normal(-3.0, 2.0); });
  CHECK(std::abs(m.mean + 3.0) < five_errors(4.0));
  CHECK(m.variance == doctest::Approx(4.0).epsilon(0.02));
}

TEST_CASE("a lognormal number of mu 1, sigma 0.5 has mean exp(1.125)") {
  RandomStream random(1, "lognormal");
  const double mean = std::exp(1.125);
  const double variance = (std::exp(0.25) - 1.0) * mean * mean;
  const Moments m = moments([&] { return random.lognormal(1.0, 0.5); });
  CHECK(std::abs(m.mean - mean) < five_errors(variance));
}

TEST_CASE(
    "a gamma number has mean shape * scale and variance shape * scale^2, below and above shape 1") {
  RandomStream random(1, "gamma");
  for (const double shape : {0.25, 1.0, 4.0}) {
    const Moments m = moments([&] { return random.gamma(shape, 3.0); });
    CHECK(std::abs(m.mean - 3.0 * shape) < five_errors(9.0 * shape));
    CHECK(m.variance == doctest::Approx(9.0 * shape).epsilon(0.06));
  }
}

TEST_CASE("a geometric number of mean 5 starts at 1 and has variance 20") {
  RandomStream random(1, "geometric");
  const Moments m = moments([&] {
    const std::int64_t n = random.geometric(5.0);
    if (n < 1) FAIL("below 1: " << n);
    return static_cast<double>(n);
  });
  CHECK(std::abs(m.mean - 5.0) < five_errors(20.0));
  CHECK(m.variance == doctest::Approx(20.0).epsilon(0.05));
  CHECK(random.geometric(1.0) == 1);
  CHECK(random.geometric(0.5) == 1);
}

TEST_CASE("parameters that make no distribution are caught before the library sees them") {
  RandomStream random(1, "wrong");
  CHECK_THROWS_AS(random.integer(2, 1), InternalError);
  CHECK_THROWS_AS(random.gamma(0.0, 1.0), InternalError);
  CHECK_THROWS_AS(random.gamma(1.0, 0.0), InternalError);
  CHECK_THROWS_AS(random.lognormal(0.0, -1.0), InternalError);
  CHECK_THROWS_AS(random.geometric(1e16), InternalError);
  CHECK_THROWS_AS(random.geometric(std::nan("")), InternalError);
}
