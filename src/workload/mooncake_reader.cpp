#include <array>

#include "workload/json_object.hpp"
#include "workload/readers.hpp"
#include "workload/trace_stream.hpp"

namespace tokenyard::workload {
namespace {

constexpr std::size_t kMostPerTimestamp = 65'536;

class MooncakeStream : public TraceStream {
 public:
  MooncakeStream(const TraceSpec& spec, const std::string& path, double rate_scale)
      : TraceStream(spec, path, rate_scale) {
    block_tokens_ = 512;
    independent_ = true;
  }

  bool next(Request& out) override {
    if (given_ == bucket_.size() && !read_bucket()) return false;
    if (!take_one()) return false;
    Record& record = bucket_[given_];
    const double share = static_cast<double>(given_) / static_cast<double>(bucket_.size());
    ++given_;
    out = Request{};
    out.id = next_id_++;
    const auto since_first_ms = static_cast<double>(record.timestamp_ms - first_ms_);
    out.arrival_s = scaled((since_first_ms + share * static_cast<double>(width_ms_)) * 1e-3);
    out.input_tokens = record.input_tokens;
    out.output_tokens = record.output_tokens;
    out.prefix.swap(record.hash_ids);
    return true;
  }

 private:
  struct Record {
    std::int64_t timestamp_ms = 0;
    std::int64_t input_tokens = 0;
    std::int64_t output_tokens = 0;
    std::vector<std::uint64_t> hash_ids;
  };

  // Reads all records of one timestamp and the one behind them, which says how far to spread them.
  bool read_bucket() {
    bucket_.clear();
    given_ = 0;
    if (!ahead_ && !started_) {
      started_ = true;
      ahead_ = read_record();
      if (ahead_) first_ms_ = ahead_->timestamp_ms;
    }
    if (!ahead_) return false;
    const std::int64_t timestamp_ms = ahead_->timestamp_ms;
    while (ahead_ && ahead_->timestamp_ms == timestamp_ms) {
      if (bucket_.size() == kMostPerTimestamp) {
        throw InputError({{.place = {.file = lines().path(),
                                     .line = lines().line_number(),
                                     .column = 1,
                                     .source_line = {}},
                           .path = "timestamp",
                           .message = "more than 65,536 requests have the timestamp " +
                                      std::to_string(timestamp_ms) + "; is it in milliseconds?",
                           .note = {}}});
      }
      bucket_.push_back(std::move(*ahead_));
      ahead_ = read_record();
    }
    if (ahead_) width_ms_ = ahead_->timestamp_ms - timestamp_ms;
    return true;
  }

  std::optional<Record> read_record() {
    Record record;
    if (!next_record([&](std::string_view line) { return parse(line, record); }))
      return std::nullopt;
    return record;
  }

  bool parse(std::string_view line, Record& r) {
    const std::array<JsonField, 4> fields{{{"timestamp", &r.timestamp_ms, true},
                                           {"input_length", &r.input_tokens, true},
                                           {"output_length", &r.output_tokens, true},
                                           {"hash_ids", &r.hash_ids, true}}};
    json_.read(line, fields);
    if (r.timestamp_ms < 0) throw BadLine{"timestamp", "is negative"};
    if (r.timestamp_ms < last_ms_) {
      throw BadLine{"timestamp", "comes before the request above it; sort the trace by timestamp"};
    }
    check_tokens(r.input_tokens, "input_length");
    check_tokens(r.output_tokens, "output_length");
    if (static_cast<std::int64_t>(r.hash_ids.size()) >
        (r.input_tokens + block_tokens_ - 1) / block_tokens_) {
      throw BadLine{"hash_ids",
                    std::to_string(r.hash_ids.size()) + " blocks of 512 tokens are more than the " +
                        std::to_string(r.input_tokens) + " tokens of input_length fill"};
    }
    last_ms_ = r.timestamp_ms;
    return true;
  }

  JsonObjectReader json_;
  std::vector<Record> bucket_;
  std::size_t given_ = 0;  // of the bucket
  std::optional<Record> ahead_;
  bool started_ = false;
  std::int64_t first_ms_ = 0;
  std::int64_t last_ms_ = 0;
  std::int64_t width_ms_ = 0;
  std::int64_t next_id_ = 0;
};

}  // namespace

std::unique_ptr<RequestStream> read_mooncake_trace(const TraceSpec& spec, const std::string& path,
                                                   double rate_scale) {
  return std::make_unique<MooncakeStream>(spec, path, rate_scale);
}

}  // namespace tokenyard::workload
