#pragma once
// A file of published measurements: comma-separated lines under a header that names the columns.
//
// Fields may stand in double quotes, with commas in them and "" for a quote; a field ends on its
// line.  What kind of file it is shows in the header: the kind all of whose columns are there.
// Columns that no kind knows are left alone.
//
// Readers take fields by name from a row and go on after a problem, which is kept in their
// Diagnostics with file, line, column and the column's name: a user sees all of a file at once.
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "input/source_text.hpp"

namespace tokenyard::study {

enum class MeasuredKind {
  steady,     // TTFT and TPOT at fixed concurrency
  published,  // throughput, latency and power of whole systems
  sessions    // sessions of agents, with the prompt tokens that had been sent before
};
std::string text_of(MeasuredKind kind);  // "steady"
std::vector<std::string> columns_of(MeasuredKind kind);

// By the header alone, whatever the size of the file.  Throws InputError for a file that cannot be
// read, or whose header is of no kind: with each kind and the columns that it misses.
MeasuredKind measured_kind(const std::string& path);

class MeasuredCsv;

// One row.  Stands for a place in its file, which must outlive it.
class MeasuredRow {
 public:
  MeasuredRow(const MeasuredCsv& csv, std::size_t index) : csv_(&csv), index_(index) {}

  // The field as written, blanks around it removed; "" when nothing is there.  The column must be
  // one of the kind's.
  [[nodiscard]] std::string_view text(std::string_view column) const;
  // Something must be there.
  [[nodiscard]] std::string word(std::string_view column, Diagnostics& diagnostics) const;
  // Absent without a problem when nothing is there.
  [[nodiscard]] std::optional<double> number(std::string_view column,
                                             Diagnostics& diagnostics) const;
  // Must be there, and more than 0.
  [[nodiscard]] double positive(std::string_view column, Diagnostics& diagnostics) const;
  // A whole number of at least `least`, at most 10^12, must be there; as `4096` or `4096.0`.
  [[nodiscard]] std::int64_t count(std::string_view column, Diagnostics& diagnostics,
                                   std::int64_t least = 1) const;
  // "'h100' is not ...; did you mean ...?": the reader's own problem with a field.
  void refuse(std::string_view column, const std::string& message, Diagnostics& diagnostics) const;

  [[nodiscard]] Place place() const;  // of the row
  [[nodiscard]] Place place(std::string_view column) const;

 private:
  const MeasuredCsv* csv_;
  std::size_t index_;
};

class MeasuredCsv {
 public:
  // Throws InputError with everything that is wrong with the file as a table.
  explicit MeasuredCsv(const std::string& path);
  // The same for text that is not a file; `name` stands for the file's name.
  MeasuredCsv(const std::string& name, std::string text);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] MeasuredKind kind() const { return kind_; }
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] MeasuredRow row(std::size_t index) const { return {*this, index}; }

 private:
  friend class MeasuredRow;
  struct Field {
    std::string_view text;
    int byte_column = 0;  // of the first character, the quote included
  };
  struct Line {
    int number = 0;  // from 0
    std::size_t first_field = 0;
  };

  void read(Diagnostics& diagnostics);
  // Cuts one line; false, with the problem reported, when its quotes do not match.
  bool cut(int line, Diagnostics& diagnostics);
  [[nodiscard]] std::size_t position_of(std::string_view column) const;
  [[nodiscard]] const Field& field(std::size_t row, std::string_view column) const;

  std::string name_;
  std::unique_ptr<const std::string> text_;  // the views below are into it
  std::unique_ptr<const input::SourceText> source_;
  std::deque<std::string> unquoted_;  // fields that are not in the file as they read
  MeasuredKind kind_ = MeasuredKind::steady;
  std::vector<std::string> header_;
  std::vector<Field> fields_;  // of all rows, each as many as the header
  std::vector<Line> rows_;
};

}  // namespace tokenyard::study
