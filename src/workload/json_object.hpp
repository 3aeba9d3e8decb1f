#pragma once
// Reads a line that is one JSON object into variables, by key.
//
// simdjson's On-Demand parser looks only at what is asked for: it would let through damage in
// fields nobody reads, and take the first of two equal keys.  So every field is read, in the order
// written, and a key that is unknown or comes twice is a mistake.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tokenyard::workload {

struct NumberOrText {
  bool is_text = false;
  std::int64_t number = 0;
  std::string text;
};

struct JsonField {
  std::string_view key;
  std::variant<std::int64_t*, double*, std::string*, NumberOrText*, std::vector<std::int64_t>*,
               std::vector<std::uint64_t>*, std::vector<std::string>*>
      target;
  bool required = false;
};

class JsonObjectReader {
 public:
  JsonObjectReader();
  ~JsonObjectReader();
  JsonObjectReader(const JsonObjectReader&) = delete;
  JsonObjectReader& operator=(const JsonObjectReader&) = delete;

  // Fills the targets of the keys that stand in the line and leaves the others alone.  Bit i of the
  // result: fields[i] stood there.  The line must be followed by LineReader::kPadding readable
  // bytes. Throws BadLine.
  std::uint32_t read(std::string_view line, std::span<const JsonField> fields);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tokenyard::workload
