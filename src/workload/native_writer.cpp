#include <zstd.h>

#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <ostream>

#include "base/error.hpp"
#include "base/json_writer.hpp"
#include "workload/native_format.hpp"

namespace tokenyard::workload {
namespace {

constexpr std::size_t kFlushBytes = std::size_t{1} << 18U;

void append(std::string& out, std::int64_t number) {
  std::array<char, 24> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  out.append(text.data(), end);
}

template <class Number>
void append_list(std::string& out, std::string_view key, const std::vector<Number>& list) {
  out.append(key);
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) out += ',';
    out += std::to_string(list[i]);
  }
  out += ']';
}

std::string header_line(const RequestStream& stream) {
  JsonWriter json;
  json.begin_object()
      .key("tokenyard_trace")
      .value(1)
      .key("block_tokens")
      .value(stream.block_tokens());
  if (stream.concurrency()) json.key("concurrency").value(*stream.concurrency());
  const auto list = [&](std::string_view key, const std::vector<std::string>& names) {
    json.key(key).begin_array();
    for (const std::string& name : names) json.value(name);
    json.end_array();
  };
  // A native trace without these lists adds names as they come, so they may not be known yet: the
  // reader of the copy adds them in the same order.
  if (stream.classes() != std::vector<std::string>{"default"}) list("classes", stream.classes());
  if (stream.models() != std::vector<std::string>{""}) list("models", stream.models());
  if (stream.tenants() != std::vector<std::string>{"default"}) list("tenants", stream.tenants());
  if (!stream.adapters().empty()) list("adapters", stream.adapters());
  json.end_object();
  return json.text() + '\n';
}

void append_line(std::string& out, const RequestStream& stream, const Request& r) {
  out += "{\"id\":";
  append(out, r.id);
  if (r.session >= 0) {
    out += ",\"session\":";
    if (stream.names_sessions()) {
      out += json_quote(stream.session_name(r.session));
    } else {
      append(out, r.session);
    }
  }
  if (r.turn != 0) {
    out += ",\"turn\":";
    append(out, r.turn);
  }
  if (r.after.empty()) {
    out += ",\"arrival_s\":" + json_number(r.arrival_s);
  } else {
    append_list(out, ",\"after\":[", r.after);
    if (r.think_s != 0.0) out += ",\"think_s\":" + json_number(r.think_s);
  }
  out += ",\"input_tokens\":";
  append(out, r.input_tokens);
  out += ",\"output_tokens\":";
  append(out, r.output_tokens);
  if (!r.prefix.empty()) append_list(out, ",\"prefix\":[", r.prefix);
  if (r.history_tokens != -1) {
    out += ",\"history_tokens\":";
    append(out, r.history_tokens);
  }
  if (r.model != 0)
    out += ",\"model\":" + json_quote(stream.models()[static_cast<std::size_t>(r.model)]);
  if (r.class_id != 0)
    out += ",\"class\":" + json_quote(stream.classes()[static_cast<std::size_t>(r.class_id)]);
  if (r.tenant != 0)
    out += ",\"tenant\":" + json_quote(stream.tenants()[static_cast<std::size_t>(r.tenant)]);
  if (r.adapter >= 0)
    out += ",\"adapter\":" + json_quote(stream.adapters()[static_cast<std::size_t>(r.adapter)]);
  if (r.group >= 0) {
    out += ",\"group\":";
    append(out, r.group);
  }
  if (std::isfinite(r.patience_s)) out += ",\"patience_s\":" + json_number(r.patience_s);
  out += "}\n";
}

class ZstdWriter {
 public:
  explicit ZstdWriter(std::ostream& out)
      : out_(out), encoder_(ZSTD_createCCtx()), buffer_(ZSTD_CStreamOutSize(), '\0') {
    check(encoder_ != nullptr, "zstd gave no encoder");
    ZSTD_CCtx_setParameter(encoder_.get(), ZSTD_c_checksumFlag, 1);
  }
  void write(std::string_view text, bool last) {
    ZSTD_inBuffer in{text.data(), text.size(), 0};
    std::size_t left = 0;
    do {
      ZSTD_outBuffer out{buffer_.data(), buffer_.size(), 0};
      left = ZSTD_compressStream2(encoder_.get(), &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
      check(ZSTD_isError(left) == 0, "zstd could not compress");
      out_.write(buffer_.data(), static_cast<std::streamsize>(out.pos));
    } while (last ? left != 0 : in.pos < in.size);
  }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* encoder) const { ZSTD_freeCCtx(encoder); }
  };
  std::ostream& out_;
  std::unique_ptr<ZSTD_CCtx, Free> encoder_;
  std::string buffer_;
};

// Hands the text of the trace to `write(text, last)` in pieces.
template <class Write>
std::int64_t write_lines(RequestStream& stream, std::optional<std::int64_t> limit, Write write) {
  if (stream.endless() && !limit) {
    throw InputError(
        "the workload has no end; say how many requests to write (its key 'requests' or a limit)");
  }
  std::string text = header_line(stream);
  Request request;
  std::int64_t written = 0;
  while ((!limit || written < *limit) && stream.next(request)) {
    append_line(text, stream, request);
    ++written;
    if (text.size() >= kFlushBytes) {
      write(text, false);
      text.clear();
    }
  }
  write(text, true);
  return written;
}

}  // namespace

std::int64_t write_native(RequestStream& stream, std::ostream& out,
                          std::optional<std::int64_t> limit) {
  return write_lines(stream, limit, [&](std::string_view text, bool) {
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
  });
}

std::int64_t write_native(RequestStream& stream, const std::string& path,
                          std::optional<std::int64_t> limit) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if (!file) throw InputError("cannot write '" + path + "'");
  std::int64_t written = 0;
  if (path.ends_with(".zst")) {
    ZstdWriter zstd(file);
    written = write_lines(stream, limit,
                          [&](std::string_view text, bool last) { zstd.write(text, last); });
  } else {
    written = write_native(stream, file, limit);
  }
  file.close();
  if (!file) throw InputError("'" + path + "' could not be written to its end; is the disk full?");
  return written;
}

}  // namespace tokenyard::workload
