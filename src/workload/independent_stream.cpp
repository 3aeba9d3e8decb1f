#include "workload/arrivals.hpp"
#include "workload/dealer.hpp"
#include "workload/distributions.hpp"
#include "workload/generators.hpp"

namespace tokenyard::workload {
namespace {

class IndependentStream : public RequestStream {
 public:
  IndependentStream(const GeneratorSpec& spec, std::uint64_t seed, double rate_scale)
      : limit_(spec.requests),
        input_(spec.input, seed, "input lengths"),
        output_(spec.output, seed, "output lengths"),
        patience_(spec.patience, seed),
        tenant_(spec.tenants, spec.tenant_skew, seed, "tenants"),
        adapter_(spec.adapters, spec.adapter_skew, seed, "adapters") {
    classes_ = {spec.request_class};
    endless_ = !limit_;
    independent_ = true;
    if (spec.tenants) tenants_ = tenant_.names('t');
    adapters_ = adapter_.names('a');
    if (spec.kind == GeneratorKind::fixed_concurrency) {
      check(spec.concurrency.has_value(), "fixed-concurrency without concurrency");
      concurrency_ = spec.concurrency;
    } else {
      arrivals_.emplace(spec, seed, rate_scale);
    }
  }

  bool next(Request& out) override {
    if (limit_ && next_id_ >= *limit_) return false;
    out.id = next_id_++;
    out.session = -1;
    out.turn = 0;
    out.arrival_s = arrivals_ ? arrivals_->next_s() : 0.0;
    out.think_s = 0.0;
    out.after.clear();
    out.input_tokens = input_.draw();
    out.output_tokens = output_.draw();
    out.prefix.clear();
    out.history_tokens = -1;
    out.model = 0;
    out.class_id = 0;
    out.tenant = tenant_.draw(0);
    out.adapter = adapter_.draw(-1);
    out.group = -1;
    out.patience_s = patience_.draw_s();
    return true;
  }

 private:
  std::optional<std::int64_t> limit_;
  std::optional<Arrivals> arrivals_;  // absent: all at time 0
  LengthSampler input_;
  LengthSampler output_;
  PatienceSampler patience_;
  Dealer tenant_, adapter_;
  std::int64_t next_id_ = 0;
};

}  // namespace

std::unique_ptr<RequestStream> make_independent(const GeneratorSpec& spec, std::uint64_t seed,
                                                double rate_scale) {
  return std::make_unique<IndependentStream>(spec, seed, rate_scale);
}

}  // namespace tokenyard::workload
