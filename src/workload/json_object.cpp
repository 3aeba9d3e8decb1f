#include "workload/json_object.hpp"

#include <simdjson.h>

#include <utility>

#include "base/error.hpp"
#include "workload/line_reader.hpp"
#include "workload/trace_stream.hpp"

namespace tokenyard::workload {
namespace {

namespace ondemand = simdjson::ondemand;

static_assert(LineReader::kPadding >= simdjson::SIMDJSON_PADDING);

// The value as written, for a message; long ones are cut.
std::string shown(ondemand::value& value) {
  constexpr std::size_t kMostShown = 40;
  std::string_view token = value.raw_json_token();
  const std::size_t end = token.find_last_not_of(" \t\r\n");
  token = token.substr(0, end == std::string_view::npos ? 0 : end + 1);
  return '\'' + std::string(token.substr(0, kMostShown)) +
         (token.size() > kMostShown ? "..." : "") + '\'';
}

[[noreturn]] void expected(std::string_view key, ondemand::value& value, std::string_view what) {
  throw BadLine{.key = std::string(key), .message = shown(value) + " is not " + std::string(what)};
}

void store(ondemand::value& value, std::string_view key, std::int64_t* out) {
  if (value.get_int64().get(*out) != simdjson::SUCCESS) expected(key, value, "a whole number");
}

void store(ondemand::value& value, std::string_view key, double* out) {
  if (value.get_double().get(*out) != simdjson::SUCCESS) expected(key, value, "a number");
}

void store(ondemand::value& value, std::string_view key, std::string* out) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) expected(key, value, "text");
  out->assign(text);
}

void store(ondemand::value& value, std::string_view key, NumberOrText* out) {
  ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) expected(key, value, "a whole number or text");
  out->is_text = type == ondemand::json_type::string;
  if (out->is_text) {
    store(value, key, &out->text);
  } else if (value.get_int64().get(out->number) != simdjson::SUCCESS) {
    expected(key, value, "a whole number or text");
  }
}

template <class Item, class Get>
void store_list(ondemand::value& value, std::string_view key, std::vector<Item>* out,
                std::string_view what, Get get) {
  out->clear();
  ondemand::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS)
    expected(key, value, std::string("a list of ").append(what));
  for (auto item : array) {
    ondemand::value element;
    if (std::move(item).get(element) != simdjson::SUCCESS) {
      throw BadLine{.key = std::string(key), .message = "the list is not valid JSON"};
    }
    Item read{};
    if (!get(element, read)) expected(key, element, std::string("one of a list of ").append(what));
    out->push_back(std::move(read));
  }
}

void store(ondemand::value& value, std::string_view key, std::vector<std::int64_t>* out) {
  store_list(value, key, out, "whole numbers", [](ondemand::value& v, std::int64_t& read) {
    return v.get_int64().get(read) == simdjson::SUCCESS;
  });
}

void store(ondemand::value& value, std::string_view key, std::vector<std::uint64_t>* out) {
  store_list(value, key, out, "whole numbers from 0", [](ondemand::value& v, std::uint64_t& read) {
    return v.get_uint64().get(read) == simdjson::SUCCESS;
  });
}

void store(ondemand::value& value, std::string_view key, std::vector<std::string>* out) {
  store_list(value, key, out, "texts", [](ondemand::value& v, std::string& read) {
    std::string_view text;
    if (v.get_string().get(text) != simdjson::SUCCESS) return false;
    read = text;
    return true;
  });
}

std::size_t index_of(std::string_view key, std::span<const JsonField> fields, std::size_t guess) {
  if (guess < fields.size() && fields[guess].key == key) return guess;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].key == key) return i;
  }
  return fields.size();
}

[[noreturn]] void unknown_key(std::string_view key, std::span<const JsonField> fields) {
  std::vector<std::string> names;
  for (const JsonField& field : fields) names.emplace_back(field.key);
  const std::string name(key);
  BadLine bad{.key = name, .message = "unknown key '" + name + "'" + suggestion(name, names)};
  throw bad;
}

// `document` is null when there is none: asking an empty one where it stands is a crash.
[[noreturn]] void not_json(simdjson::error_code error, ondemand::document* document,
                           std::string_view line) {
  BadLine bad{.key = {}, .message = {}, .column = 1};
  if (error == simdjson::UTF8_ERROR) {
    bad.message = "invalid UTF-8";
    bad.printable = false;
    throw bad;
  }
  const char* at = nullptr;
  if (document != nullptr && document->current_location().get(at) == simdjson::SUCCESS &&
      at >= line.data() && at <= line.data() + line.size()) {
    bad.column = static_cast<int>(at - line.data()) + 1;
  }
  bad.message = "not a JSON object: " + std::string(simdjson::error_message(error));
  throw bad;
}

}  // namespace

struct JsonObjectReader::State {
  ondemand::parser parser;
};

JsonObjectReader::JsonObjectReader() : state_(std::make_unique<State>()) {}
JsonObjectReader::~JsonObjectReader() = default;

std::uint32_t JsonObjectReader::read(std::string_view line, std::span<const JsonField> fields) {
  check(fields.size() <= 32, "a JSON object with more than 32 known keys");
  ondemand::document document;
  ondemand::object object;
  simdjson::error_code error =
      state_->parser.iterate(line.data(), line.size(), line.size() + simdjson::SIMDJSON_PADDING)
          .get(document);
  if (error != simdjson::SUCCESS) not_json(error, nullptr, line);
  error = document.get_object().get(object);
  if (error != simdjson::SUCCESS) not_json(error, &document, line);

  std::uint32_t seen = 0;
  std::size_t guess = 0;
  for (auto item : object) {
    ondemand::field field;
    std::string_view key;
    error = std::move(item).get(field);
    if (error == simdjson::SUCCESS) error = field.unescaped_key().get(key);
    if (error != simdjson::SUCCESS) not_json(error, &document, line);
    const std::size_t index = index_of(key, fields, guess);
    if (index == fields.size()) unknown_key(key, fields);
    if ((seen >> index & 1U) != 0) {
      throw BadLine{.key = std::string(key),
                    .message = "key '" + std::string(key) + "' is given twice"};
    }
    seen |= 1U << index;
    guess = index + 1;
    ondemand::value value = field.value();
    std::visit([&](auto* target) { store(value, fields[index].key, target); },
               fields[index].target);
  }
  const char* behind = nullptr;
  if (document.current_location().get(behind) == simdjson::SUCCESS) {
    not_json(simdjson::TRAILING_CONTENT, &document, line);
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].required && (seen >> i & 1U) == 0) {
      throw BadLine{
          .key = {}, .message = "key '" + std::string(fields[i].key) + "' is missing", .column = 1};
    }
  }
  return seen;
}

}  // namespace tokenyard::workload
