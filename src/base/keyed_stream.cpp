#include "base/keyed_stream.hpp"

#include <boost/random/beta_distribution.hpp>

#include "base/error.hpp"

namespace tokenyard {

double KeyedStream::beta(double mean, double deviation) {
  const double variance = deviation * deviation;
  check(variance > 0.0 && variance < mean * (1.0 - mean),
        "a beta distribution with a deviation that its mean does not allow");
  const double both = mean * (1.0 - mean) / variance - 1.0;
  return boost::random::beta_distribution<double>(mean * both, (1.0 - mean) * both)(*this);
}

KeyedStreams::KeyedStreams(std::uint64_t seed, std::string_view name) : base_(seed) {
  for (const char c : name)
    base_ = KeyedStream::mixed(base_ ^ static_cast<unsigned char>(c)) + 0x9e3779b97f4a7c15ULL;
}

}  // namespace tokenyard
