#include "metrics/quantile_sketch.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "base/error.hpp"
#include "base/random.hpp"

using tokenyard::InternalError;
using tokenyard::RandomStream;
using tokenyard::metrics::nearest_rank;
using tokenyard::metrics::QuantileSketch;

namespace {

// The contract is 0.1 %; rounding of the bucket bounds may add a few units in the last place.
constexpr double kBound = QuantileSketch::kRelativeError * (1.0 + 1e-9);

double exact_quantile(std::vector<double>& values, double q) {
  const auto rank = nearest_rank(q, static_cast<std::int64_t>(values.size()));
  const auto at = values.begin() + rank - 1;
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

void check_quantiles(const QuantileSketch& sketch, std::vector<double> values) {
  for (const double q : {0.0, 0.001, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0}) {
    const double exact = exact_quantile(values, q);
    CAPTURE(q);
    CHECK(std::abs(sketch.quantile(q) - exact) <= kBound * exact);
  }
}

std::vector<double> ramp(double first, double last, int count) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i) values.push_back(first + (last - first) * i / (count - 1));
  return values;
}

}  // namespace

TEST_CASE("the nearest rank of the median of 4 is the 2nd, of 5 the 3rd; 7 % of 100 is the 7th") {
  CHECK(nearest_rank(0.5, 4) == 2);
  CHECK(nearest_rank(0.5, 5) == 3);
  CHECK(nearest_rank(0.07, 100) == 7);
  CHECK(nearest_rank(0.0, 9) == 1);
  CHECK(nearest_rank(1.0, 9) == 9);
  CHECK(nearest_rank(0.99, 1) == 1);
}

TEST_CASE("quantiles of a million lognormal values are within 0.1 % of the exact ones") {
  for (const double sigma : {0.1, 1.0, 3.0}) {
    RandomStream random(1, "sketch");
    QuantileSketch sketch;
    std::vector<double> values(1'000'000);
    for (double& v : values) v = random.lognormal(-3.0, sigma);
    for (const double v : values) sketch.add(v);
    CAPTURE(sigma);
    CHECK(sketch.count() == 1'000'000);
    CHECK(sketch.min() == *std::min_element(values.begin(), values.end()));
    CHECK(sketch.max() == *std::max_element(values.begin(), values.end()));
    check_quantiles(sketch, values);
  }
}

TEST_CASE("every value from a nanosecond to 1e9 comes back within 0.1 %, alone among others") {
  for (double v = 1e-9; v <= 1e9; v *= 1.00037) {
    QuantileSketch sketch;
    sketch.add(v / 2);
    sketch.add(v);
    sketch.add(v * 2);
    REQUIRE(std::abs(sketch.quantile(0.5) - v) <= kBound * v);
  }
}

TEST_CASE("mean, smallest and largest are exact: 1, 2, 2, 2, 8 have mean 3") {
  QuantileSketch sketch;
  sketch.add(8);
  sketch.add(2, 3);
  sketch.add(1);
  CHECK(sketch.mean() == 3.0);
  CHECK(sketch.sum() == 15.0);
  CHECK(sketch.count() == 5);
  CHECK(sketch.quantile(0.0) == 1.0);
  CHECK(sketch.quantile(1.0) == 8.0);
  CHECK(sketch.quantile(0.5) == doctest::Approx(2.0).epsilon(0.001));
}

TEST_CASE("zeros are counted: of 6 zeros and 4 ones, the median is 0 and the 90th percentile 1") {
  QuantileSketch sketch;
  sketch.add(0.0, 6);
  sketch.add(1.0, 4);
  CHECK(sketch.quantile(0.5) == 0.0);
  CHECK(sketch.quantile(0.6) == 0.0);
  CHECK(sketch.quantile(0.7) == 1.0);
  CHECK(sketch.mean() == doctest::Approx(0.4));
}

TEST_CASE("values beyond the last bucket keep the count and the largest value") {
  QuantileSketch sketch;
  sketch.add(1.0);
  sketch.add(5e12);
  CHECK(sketch.max() == 5e12);
  CHECK(sketch.count() == 2);
  CHECK(sketch.quantile(0.5) == 1.0);
  CHECK(sketch.quantile(1.0) >= 1e9);
}

TEST_CASE("a range equals adding its values one by one, bucket by bucket") {
  struct Case {
    double first, last;
    int count;
    std::int64_t weight;
  };
  for (const Case& c :
       {Case{1.0, 1.2, 1000, 3}, Case{0.020, 0.0205, 2000, 64}, Case{5.0, 0.5, 100, 2},
        Case{0.0, 1.0, 10001, 1}, Case{1e-10, 3e-9, 5000, 1}, Case{1.0, 4.0, 2, 7}}) {
    QuantileSketch closed;
    closed.add_range(c.first, c.last, c.count, c.weight);
    QuantileSketch one_by_one;
    std::vector<double> values = ramp(c.first, c.last, c.count);
    for (const double v : values) one_by_one.add(v, c.weight);
    CAPTURE(c.first);
    CAPTURE(c.count);
    CHECK(closed.count() == one_by_one.count());
    CHECK(closed.mean() == doctest::Approx(one_by_one.mean()).epsilon(1e-12));
    CHECK(closed.min() == one_by_one.min());
    CHECK(closed.max() == doctest::Approx(one_by_one.max()).epsilon(1e-14));
    // A value on a bound may fall to either side by rounding: one rank of `count`.
    const double rank = 1.0 / c.count;
    for (double q = 0.05; q < 1.0; q += 0.05) {
      CAPTURE(q);
      CHECK(closed.quantile(q) >= one_by_one.quantile(std::max(0.0, q - rank)));
      CHECK(closed.quantile(q) <= one_by_one.quantile(std::min(1.0, q + rank)));
    }
  }
}

TEST_CASE("a range of a million values costs no more than the buckets it covers: below 100 us") {
  QuantileSketch sketch;
  sketch.add_range(0.020, 0.040, 1'000'000, 256);  // the first call also makes the table of bounds
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) sketch.add_range(0.020, 0.040, 1'000'000, 256);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  MESSAGE("a range over 350 buckets: " << elapsed.count() / 100 * 1e6 << " us");
  CHECK(elapsed.count() / 100 < 100e-6);
  CHECK(sketch.count() == 101LL * 256'000'000);
  // The median of an even ramp from 20 ms to 40 ms is 30 ms.
  CHECK(std::abs(sketch.quantile(0.5) - 0.030) <= kBound * 0.030);
}

TEST_CASE("an empty sketch has no quantile, and not-a-number is refused") {
  QuantileSketch sketch;
  CHECK_THROWS_AS((void)sketch.quantile(0.5), InternalError);
  CHECK_THROWS_AS((void)sketch.mean(), InternalError);
  CHECK_THROWS_AS(sketch.add(std::nan("")), InternalError);
  CHECK_THROWS_AS(sketch.add(-1.0), InternalError);
}

TEST_CASE("how long adding a value takes") {
  RandomStream random(3, "sketch");
  std::vector<double> values(1'000'000);
  for (double& v : values) v = random.lognormal(-3.0, 1.0);
  QuantileSketch sketch;
  const auto start = std::chrono::steady_clock::now();
  for (int round = 0; round < 10; ++round) {
    for (const double v : values) sketch.add(v);
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  MESSAGE("add: " << elapsed.count() / 1e7 * 1e9 << " ns");
  CHECK(sketch.count() == 10'000'000);
}
