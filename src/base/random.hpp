#pragma once
// Random streams.  One named stream per purpose ("arrivals", "lengths", "routing"), each seeded
// from the scenario's seed and its own name, so that adding a stream never shifts another and each
// dimension can be changed independently.
//
// The distributions are Boost.Random's: unlike the standard library's they are the same algorithm
// with every compiler, so the same seed gives the same numbers everywhere.
#include <cstdint>
#include <memory>
#include <string_view>

namespace tokenyard {

class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::string_view name);
  ~RandomStream();
  RandomStream(RandomStream&&) noexcept;
  RandomStream& operator=(RandomStream&&) noexcept;

  double uniform();  // [0, 1)
  double uniform(double low, double high);
  std::int64_t integer(std::int64_t low, std::int64_t high);  // both ends included
  double exponential(double mean);
  double normal(double mean, double sigma);
  double lognormal(double mu, double sigma);  // mean and deviation of the logarithm
  double gamma(double shape, double scale);
  std::int64_t geometric(double mean);  // 1, 2, ... with that mean

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tokenyard
