#include "base/units.hpp"

#include <doctest/doctest.h>

#include <type_traits>

using namespace tokenyard;

namespace {

template <class A, class B>
concept Addable = requires(A a, B b) {
  a + b;
};
template <class A, class B>
concept Comparable = requires(A a, B b) {
  a < b;
};

// Products and quotients have the dimension they should have.
static_assert(std::is_same_v<decltype(bytes(1) / seconds(1)), BytesPerSecond>);
static_assert(std::is_same_v<decltype(watts(1) * seconds(1)), Joules>);
static_assert(std::is_same_v<decltype(gigabytes(1) / gigabytes_per_second(1)), Seconds>);
static_assert(std::is_same_v<decltype(1.0 / seconds(1)), PerSecond>);
static_assert(std::is_same_v<decltype(usd_per_kilowatt_hour(1) * joules(1)), Usd>);
static_assert(std::is_same_v<decltype(usd(1) / watts(1)), UsdPerWatt>);
static_assert(std::is_same_v<decltype(usd(1) / watts(1) / seconds(1)), UsdPerWattSecond>);

// What has no dimension left is a plain number.
static_assert(std::is_same_v<decltype(seconds(1) / seconds(1)), double>);
static_assert(std::is_same_v<decltype(PerSecond() * seconds(1)), double>);

// Unlike dimensions neither add nor compare, nor does a plain number stand in for a quantity.
static_assert(Addable<Seconds, Seconds> && !Addable<Seconds, Bytes> && !Addable<Seconds, double>);
static_assert(Comparable<Watts, Watts> && !Comparable<Watts, Joules> && !Comparable<Watts, int>);
static_assert(!std::is_convertible_v<double, Seconds> && !std::is_convertible_v<Seconds, double>);
static_assert(sizeof(Seconds) == sizeof(double));

// Everything is usable at compile time.
static_assert(hours(2) == seconds(7200) && years(1) == seconds(31'536'000));
static_assert(gibibytes(1) == bytes(1'073'741'824) && gibibytes(1) > gigabytes(1));
static_assert(watts(700) * hours(1) == joules(2'520'000));
static_assert(-seconds(1) + seconds(3) - seconds(1) == 2.0 * seconds(0.5));
static_assert(seconds(1) <= seconds(1) && seconds(1) >= seconds(1) && !(seconds(1) < seconds(1)));

}  // namespace

TEST_CASE("80 GB at 3.35 TB/s take 23.88 ms") {
  const Seconds t = gigabytes(80) / terabytes_per_second(3.35);
  CHECK(t.base() == doctest::Approx(0.0238806).epsilon(1e-6));
}

TEST_CASE("one kWh at 0.08 USD/kWh costs 8 cents") {
  const Usd cost = watts(1000) * hours(1) * usd_per_kilowatt_hour(0.08);
  CHECK(cost.base() == doctest::Approx(0.08).epsilon(1e-15));
}

TEST_CASE("sums in place: 1 s + 2 s - 0.5 s, times 4, is 10 s") {
  Seconds t = seconds(1);
  t += seconds(2);
  t -= seconds(0.5);
  t *= 4.0;
  CHECK(t == seconds(10));
}
