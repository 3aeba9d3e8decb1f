#include <array>
#include <unordered_map>

#include "workload/id_ranges.hpp"
#include "workload/json_object.hpp"
#include "workload/name_list.hpp"
#include "workload/native_checks.hpp"
#include "workload/native_format.hpp"
#include "workload/readers.hpp"
#include "workload/trace_stream.hpp"

namespace tokenyard::workload {
namespace {

class NativeStream : public TraceStream {
 public:
  NativeStream(const TraceSpec& spec, const std::string& path, double rate_scale)
      : TraceStream(spec, path, rate_scale) {
    std::string_view line;
    if (lines().next(line)) {
      if (line.find("\"tokenyard_trace\"") != std::string_view::npos) {
        read_header(line);
      } else {
        lines().put_back();
      }
    }
    if ((listed_ & kClasses) == 0) class_names_.start(classes_);
    if ((listed_ & kModels) == 0) model_names_.start(models_);
    if ((listed_ & kTenants) == 0) tenant_names_.start(tenants_);
  }

  bool next(Request& out) override {
    if (!take_one()) return false;
    return next_record([&](std::string_view line) { return parse(line, out); });
  }

  [[nodiscard]] std::string session_name(std::int64_t session) const override {
    const bool known = session >= 0 && session < static_cast<std::int64_t>(session_names_.size());
    return known ? *session_names_[static_cast<std::size_t>(session)]
                 : RequestStream::session_name(session);
  }
  [[nodiscard]] bool names_sessions() const override { return sessions_are_named_ == true; }

 private:
  void read_header(std::string_view line) {
    std::int64_t version = 0;
    std::int64_t concurrency = 0;
    const std::array<JsonField, 7> fields{{{"tokenyard_trace", &version, true},
                                           {"block_tokens", &block_tokens_},
                                           {"concurrency", &concurrency},
                                           {"classes", &classes_},
                                           {"models", &models_},
                                           {"tenants", &tenants_},
                                           {"adapters", &adapters_}}};
    try {
      listed_ = json_.read(line, fields);
      if (version != 1) {
        throw BadLine{"tokenyard_trace",
                      "version " + std::to_string(version) + " is not known; expected 1"};
      }
      if (block_tokens_ < 1 || block_tokens_ > kMaxTokens)
        throw BadLine{"block_tokens", "expected at least 1"};
      if ((listed_ & kConcurrency) != 0) {
        if (concurrency < 1) throw BadLine{"concurrency", "expected at least 1"};
        concurrency_ = concurrency;
      }
      fix_names(kClasses, "classes", classes_, class_names_);
      fix_names(kModels, "models", models_, model_names_);
      fix_names(kTenants, "tenants", tenants_, tenant_names_);
      fix_names(kAdapters, "adapters", adapters_, adapter_names_);
    } catch (const BadLine& bad) {
      refuse(bad, line);
    }
  }

  // A list in the first line is the whole list.
  void fix_names(std::uint32_t bit, std::string_view key, const std::vector<std::string>& names,
                 NameList& list) const {
    if ((listed_ & bit) == 0) return;
    if (names.empty()) throw BadLine{std::string(key), "the list is empty"};
    list.fix(names);
  }

  // Bits of the keys of the first line, and of those of a request in parse().
  static constexpr std::uint32_t kConcurrency = 1U << 2U, kClasses = 1U << 3U, kModels = 1U << 4U,
                                 kTenants = 1U << 5U, kAdapters = 1U << 6U;
  static constexpr std::uint32_t kSession = 1U << 1U, kArrival = 1U << 3U, kAfter = 1U << 4U,
                                 kThink = 1U << 5U, kModel = 1U << 10U, kClass = 1U << 11U,
                                 kTenant = 1U << 12U, kAdapter = 1U << 13U, kGroup = 1U << 14U,
                                 kPatience = 1U << 15U;

  bool parse(std::string_view line, Request& out) {
    out.session = -1;
    out.turn = 0;
    out.arrival_s = 0.0;
    out.think_s = 0.0;
    out.after.clear();
    out.prefix.clear();
    out.history_tokens = -1;
    out.model = 0;
    out.class_id = 0;
    out.tenant = 0;
    out.adapter = -1;
    out.group = -1;
    out.patience_s = std::numeric_limits<double>::infinity();
    std::int64_t turn = 0;
    const std::array<JsonField, 16> fields{{{"id", &out.id, true},
                                            {"session", &session_},
                                            {"turn", &turn},
                                            {"arrival_s", &out.arrival_s},
                                            {"after", &out.after},
                                            {"think_s", &out.think_s},
                                            {"input_tokens", &out.input_tokens, true},
                                            {"output_tokens", &out.output_tokens, true},
                                            {"prefix", &out.prefix},
                                            {"history_tokens", &out.history_tokens},
                                            {"model", &model_},
                                            {"class", &class_},
                                            {"tenant", &tenant_},
                                            {"adapter", &adapter_},
                                            {"group", &out.group},
                                            {"patience_s", &out.patience_s}}};
    const std::uint32_t seen = json_.read(line, fields);
    check_tokens(out.input_tokens, "input_tokens");
    check_tokens(out.output_tokens, "output_tokens");
    check_prefix(out, block_tokens_);
    if (turn < 0 || turn > INT32_MAX)
      throw BadLine{"turn", std::to_string(turn) + " is out of range; expected at least 0"};
    out.turn = static_cast<std::int32_t>(turn);
    check_release(out, {.arrival = (seen & kArrival) != 0,
                        .after = (seen & kAfter) != 0 && !out.after.empty(),
                        .think = (seen & kThink) != 0,
                        .last_arrival_s = last_arrival_s_});
    check_id(out, ids_);
    if ((seen & kGroup) != 0 && out.group < 0) throw BadLine{"group", "is negative"};
    if ((seen & kPatience) != 0) check_patience(out.patience_s);
    if ((seen & kModel) != 0) out.model = model_names_.find(model_, "model", models_);
    if ((seen & kClass) != 0) out.class_id = class_names_.find(class_, "class", classes_);
    if ((seen & kTenant) != 0) out.tenant = tenant_names_.find(tenant_, "tenant", tenants_);
    if ((seen & kAdapter) != 0) out.adapter = adapter_names_.find(adapter_, "adapter", adapters_);
    if ((seen & kSession) != 0) out.session = session_number();
    ids_.add(out.id);
    if (out.after.empty()) {
      last_arrival_s_ = out.arrival_s;
      out.arrival_s = scaled(out.arrival_s);
    }
    return true;
  }

  std::int64_t session_number() {
    if (sessions_are_named_.value_or(session_.is_text) != session_.is_text) {
      throw BadLine{"session", session_.is_text
                                   ? "is a name, but the sessions before it are numbers"
                                   : "is a number, but the sessions before it are names"};
    }
    sessions_are_named_ = session_.is_text;
    if (!session_.is_text) {
      if (session_.number < 0) throw BadLine{"session", "is negative"};
      return session_.number;
    }
    const auto number = static_cast<std::int64_t>(session_names_.size());
    const auto [at, is_new] = session_numbers_.emplace(session_.text, number);
    if (is_new) session_names_.push_back(&at->first);
    return at->second;
  }

  JsonObjectReader json_;
  NumberOrText session_;
  std::string model_, class_, tenant_, adapter_;
  NameList class_names_, model_names_, tenant_names_, adapter_names_;
  std::uint32_t listed_ = 0;  // keys of the first line
  std::optional<bool> sessions_are_named_;
  std::unordered_map<std::string, std::int64_t> session_numbers_;
  std::vector<const std::string*>
      session_names_;  // keys of session_numbers_, which stay where they are
  IdRanges ids_;
  double last_arrival_s_ = 0.0;
};

}  // namespace

std::unique_ptr<RequestStream> read_native_trace(const TraceSpec& spec, const std::string& path,
                                                 double rate_scale) {
  return std::make_unique<NativeStream>(spec, path, rate_scale);
}

}  // namespace tokenyard::workload
