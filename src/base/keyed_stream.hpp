#pragma once
// A random stream of its own for each of many things, found by a number: what a request draws does
// not depend on which others drew before it.
//
// The generator is SplitMix64, whose state is one word: made for each request anew, it costs a few
// multiplications, where RandomStream's takes microseconds.
// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
#include <cstdint>
#include <string_view>

namespace tokenyard {

class KeyedStream {
 public:
  using result_type = std::uint64_t;

  explicit KeyedStream(std::uint64_t state) : state_(state) {}

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~std::uint64_t{0}; }
  result_type operator()() {
    state_ += kGamma;
    return mixed(state_);
  }
  // [0, 1), in steps of 2^-53.
  double uniform() { return static_cast<double>((*this)() >> 11U) * 0x1p-53; }
  // Contract: 0 < mean < 1 and 0 < deviation^2 < mean (1 - mean).
  double beta(double mean, double deviation);

  static std::uint64_t mixed(std::uint64_t z) {
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }

 private:
  static constexpr std::uint64_t kGamma = 0x9e3779b97f4a7c15ULL;
  std::uint64_t state_;
};

// The streams of one purpose.
class KeyedStreams {
 public:
  KeyedStreams(std::uint64_t seed, std::string_view name);
  [[nodiscard]] KeyedStream of(std::int64_t key) const {
    return KeyedStream(
        KeyedStream::mixed(base_ ^ KeyedStream::mixed(static_cast<std::uint64_t>(key))));
  }

 private:
  std::uint64_t base_;
};

}  // namespace tokenyard
