#include <array>
#include <cmath>
#include <unordered_map>

#include "workload/id_ranges.hpp"
#include "workload/json_object.hpp"
#include "workload/native_format.hpp"
#include "workload/readers.hpp"
#include "workload/trace_stream.hpp"

namespace tokenyard::workload {
namespace {

constexpr double kLatestS = 30.0 * kSecondsPerYear;

// Position of a name in a list that grows as names come, unless the first line fixed it.
class NameList {
 public:
  void fix(const std::vector<std::string>& names) {
    for (const std::string& name : names)
      index_.emplace(name, static_cast<std::int32_t>(index_.size()));
    fixed_ = true;
  }
  void start(const std::string& name) { index_.emplace(name, 0); }

  std::int32_t find(const std::string& name, std::string_view key,
                    std::vector<std::string>& names) {
    const auto known = index_.find(name);
    if (known != index_.end()) return known->second;
    if (fixed_) {
      throw BadLine{.key = std::string(key),
                    .message = "'" + name + "' is not listed in the file's first line" +
                               suggestion(name, names)};
    }
    const auto index = static_cast<std::int32_t>(names.size());
    index_.emplace(name, index);
    names.push_back(name);
    return index;
  }

 private:
  std::unordered_map<std::string, std::int32_t> index_;
  bool fixed_ = false;
};

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
    if (!has_classes_) class_names_.start(classes_.front());
    if (!has_models_) model_names_.start(models_.front());
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
    const std::array<JsonField, 5> fields{{{"tokenyard_trace", &version, true},
                                           {"block_tokens", &block_tokens_},
                                           {"concurrency", &concurrency},
                                           {"classes", &classes_},
                                           {"models", &models_}}};
    try {
      const std::uint32_t seen = json_.read(line, fields);
      if (version != 1) {
        throw BadLine{"tokenyard_trace",
                      "version " + std::to_string(version) + " is not known; expected 1"};
      }
      if (block_tokens_ < 1 || block_tokens_ > kMaxTokens)
        throw BadLine{"block_tokens", "expected at least 1"};
      if ((seen & 4U) != 0) {
        if (concurrency < 1) throw BadLine{"concurrency", "expected at least 1"};
        concurrency_ = concurrency;
      }
      has_classes_ = (seen & 8U) != 0;
      has_models_ = (seen & 16U) != 0;
      if (classes_.empty()) throw BadLine{"classes", "the list is empty"};
      if (models_.empty()) throw BadLine{"models", "the list is empty"};
    } catch (const BadLine& bad) {
      refuse(bad, line);
    }
    if (has_classes_) class_names_.fix(classes_);
    if (has_models_) model_names_.fix(models_);
  }

  // Bits of the keys in fields below.
  static constexpr std::uint32_t kSession = 1U << 1U, kArrival = 1U << 3U, kAfter = 1U << 4U,
                                 kThink = 1U << 5U, kModel = 1U << 10U, kClass = 1U << 11U;

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
    std::int64_t turn = 0;
    const std::array<JsonField, 12> fields{{{"id", &out.id, true},
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
                                            {"class", &class_}}};
    const std::uint32_t seen = json_.read(line, fields);
    check_tokens(out.input_tokens, "input_tokens");
    check_tokens(out.output_tokens, "output_tokens");
    check_prefix(out);
    if (turn < 0 || turn > INT32_MAX)
      throw BadLine{"turn", std::to_string(turn) + " is out of range; expected at least 0"};
    out.turn = static_cast<std::int32_t>(turn);
    check_release(out, seen);
    check_id(out);
    if ((seen & kModel) != 0) out.model = model_names_.find(model_, "model", models_);
    if ((seen & kClass) != 0) out.class_id = class_names_.find(class_, "class", classes_);
    if ((seen & kSession) != 0) out.session = session_number();
    ids_.add(out.id);
    if (out.after.empty()) {
      last_arrival_s_ = out.arrival_s;
      out.arrival_s = scaled(out.arrival_s);
    }
    return true;
  }

  void check_prefix(const Request& r) const {
    if (r.history_tokens < -1 || r.history_tokens > r.input_tokens) {
      throw BadLine{"history_tokens", std::to_string(r.history_tokens) +
                                          " is out of range; expected -1 (all) to " +
                                          std::to_string(r.input_tokens) + ", the input_tokens"};
    }
    const std::int64_t most = (r.input_tokens + block_tokens_ - 1) / block_tokens_;
    if (static_cast<std::int64_t>(r.prefix.size()) > most) {
      throw BadLine{"prefix", std::to_string(r.prefix.size()) + " blocks of " +
                                  std::to_string(block_tokens_) + " tokens are more than the " +
                                  std::to_string(r.input_tokens) + " input_tokens fill"};
    }
  }

  void check_release(const Request& r, std::uint32_t seen) const {
    const bool has_after = (seen & kAfter) != 0 && !r.after.empty();
    if (has_after == ((seen & kArrival) != 0)) {
      throw BadLine{
          .key = {},
          .message =
              has_after
                  ? "has both 'arrival_s' and 'after'; a request that waits for others has no "
                    "arrival time of its own"
                  : "needs 'arrival_s' or 'after'",
          .column = 1};
    }
    if (!has_after && (seen & kThink) != 0)
      throw BadLine{"think_s", "has no effect without 'after'"};
    if (r.think_s < 0) throw BadLine{"think_s", "is negative"};
    if (r.arrival_s < 0) throw BadLine{"arrival_s", "is negative"};
    if (r.arrival_s > kLatestS) {
      throw BadLine{"arrival_s",
                    "is more than 30 years from the start; times count from 0, not from 1970"};
    }
    if (r.think_s > kLatestS) throw BadLine{"think_s", "is more than 30 years"};
    if (!has_after && r.arrival_s < last_arrival_s_) {
      throw BadLine{"arrival_s", "comes before the request above it; sort the trace by arrival"};
    }
  }

  void check_id(const Request& r) const {
    if (r.id < 0) throw BadLine{"id", "is negative"};
    if (r.id <= ids_.last()) {
      throw BadLine{"id", std::to_string(r.id) + " does not increase; the id before it is " +
                              std::to_string(ids_.last())};
    }
    if (ids_.full() && r.id != ids_.last() + 1) {
      throw BadLine{"id", "the ids have more than a million gaps; number the requests one by one"};
    }
    std::int64_t last = -1;
    for (const std::int64_t id : r.after) {
      if (!ids_.contains(id)) {
        throw BadLine{
            "after", "waits for request " + std::to_string(id) + ", which does not come before it"};
      }
      if (id <= last) throw BadLine{"after", "the ids must increase, so that each occurs once"};
      last = id;
    }
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
  std::string model_, class_;
  NameList class_names_, model_names_;
  bool has_classes_ = false, has_models_ = false;
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
