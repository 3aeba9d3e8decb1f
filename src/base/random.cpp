#include "base/random.hpp"

#include <boost/random/exponential_distribution.hpp>
#include <boost/random/gamma_distribution.hpp>
#include <boost/random/geometric_distribution.hpp>
#include <boost/random/lognormal_distribution.hpp>
#include <boost/random/mersenne_twister.hpp>
#include <boost/random/normal_distribution.hpp>
#include <boost/random/uniform_01.hpp>
#include <boost/random/uniform_int_distribution.hpp>

#include "base/error.hpp"

namespace tokenyard {
namespace {

// FNV-1a, so that a stream's seed depends on its name and on nothing else.
std::uint64_t name_hash(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

}  // namespace

struct RandomStream::State {
  boost::random::mt19937_64 engine;
  boost::random::exponential_distribution<double> exponential;
  boost::random::normal_distribution<double> normal;
};

RandomStream::RandomStream(std::uint64_t seed, std::string_view name)
    : state_(std::make_unique<State>()) {
  state_->engine.seed(name_hash(name) ^ (seed * 0x9e3779b97f4a7c15ULL));
}
RandomStream::~RandomStream() = default;
RandomStream::RandomStream(RandomStream&&) noexcept = default;
RandomStream& RandomStream::operator=(RandomStream&&) noexcept = default;

double RandomStream::uniform() {
  return boost::random::uniform_01<double>()(state_->engine);
}

double RandomStream::uniform(double low, double high) {
  return low + (high - low) * uniform();
}

std::int64_t RandomStream::integer(std::int64_t low, std::int64_t high) {
  check(low <= high, "a random integer between bounds in the wrong order");
  return boost::random::uniform_int_distribution<std::int64_t>(low, high)(state_->engine);
}

double RandomStream::exponential(double mean) {
  return mean * state_->exponential(state_->engine);
}

double RandomStream::normal(double mean, double sigma) {
  return mean + sigma * state_->normal(state_->engine);
}

double RandomStream::lognormal(double mu, double sigma) {
  check(sigma >= 0.0, "a lognormal distribution with a negative deviation");
  return boost::random::lognormal_distribution<double>(mu, sigma)(state_->engine);
}

double RandomStream::gamma(double shape, double scale) {
  check(shape > 0.0 && scale > 0.0, "a gamma distribution without a positive shape and scale");
  return boost::random::gamma_distribution<double>(shape, scale)(state_->engine);
}

std::int64_t RandomStream::geometric(double mean) {
  // Beyond 1e15 the chance of a success, 1 / mean, is lost against 1.
  check(mean <= 1e15, "a geometric distribution with a mean above 1e15");
  if (mean <= 1.0) return 1;
  boost::random::geometric_distribution<std::int64_t, double> draw(1.0 / mean);
  return 1 + draw(state_->engine);
}

}  // namespace tokenyard
