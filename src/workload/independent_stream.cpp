#include "base/random.hpp"
#include "workload/distributions.hpp"
#include "workload/generators.hpp"

namespace tokenyard::workload {
namespace {

class IndependentStream : public RequestStream {
 public:
  IndependentStream(const GeneratorSpec& spec, std::uint64_t seed, double rate_scale)
      : kind_(spec.kind),
        mean_gap_s_(1.0 / (spec.rate.base() * rate_scale)),
        shape_(1.0 / (spec.cv * spec.cv)),
        limit_(spec.requests),
        gaps_(seed, "arrivals"),
        input_(spec.input, seed, "input lengths"),
        output_(spec.output, seed, "output lengths") {
    classes_ = {spec.request_class};
    endless_ = !limit_;
    independent_ = true;
    if (kind_ == GeneratorKind::fixed_concurrency) {
      check(spec.concurrency.has_value(), "fixed-concurrency without concurrency");
      concurrency_ = spec.concurrency;
    }
  }

  bool next(Request& out) override {
    if (limit_ && next_id_ >= *limit_) return false;
    arrival_s_ += gap_s();
    out.id = next_id_++;
    out.session = -1;
    out.turn = 0;
    out.arrival_s = arrival_s_;
    out.think_s = 0.0;
    out.after.clear();
    out.input_tokens = input_.draw();
    out.output_tokens = output_.draw();
    out.prefix.clear();
    out.history_tokens = -1;
    out.model = 0;
    out.class_id = 0;
    return true;
  }

 private:
  double gap_s() {
    if (kind_ == GeneratorKind::poisson) return gaps_.exponential(mean_gap_s_);
    if (kind_ == GeneratorKind::gamma) return gaps_.gamma(shape_, mean_gap_s_ / shape_);
    return 0.0;
  }

  GeneratorKind kind_;
  double mean_gap_s_;
  double shape_;
  std::optional<std::int64_t> limit_;
  RandomStream gaps_;
  LengthSampler input_;
  LengthSampler output_;
  double arrival_s_ = 0.0;
  std::int64_t next_id_ = 0;
};

}  // namespace

std::unique_ptr<RequestStream> make_independent(const GeneratorSpec& spec, std::uint64_t seed,
                                                double rate_scale) {
  return std::make_unique<IndependentStream>(spec, seed, rate_scale);
}

}  // namespace tokenyard::workload
