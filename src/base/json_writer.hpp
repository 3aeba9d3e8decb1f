#pragma once
// Writes JSON text in one pass, in the order called: for plans, schemas and machine output.
//
// Numbers are written so that reading them back gives the same double; not-a-number and infinities,
// which JSON lacks, become null.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tokenyard {

class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(double number);
  JsonWriter& value(std::int64_t number);
  JsonWriter& value(int number) { return value(static_cast<std::int64_t>(number)); }
  JsonWriter& value(bool flag);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  // already JSON

  [[nodiscard]] const std::string& text() const { return out_; }

 private:
  void separate();
  void close(char bracket);
  std::string out_;
  std::vector<bool> first_;  // one per open object or array: nothing written in it yet
  bool after_key_ = false;
};

std::string json_quote(std::string_view text);
// Shortest decimal text that reads back to the same double; "null" when not finite.
std::string json_number(double number);

}  // namespace tokenyard
