#pragma once
// Results go to standard output; progress and messages to standard error.
#include <cstdint>
#include <string>

#include "base/table.hpp"
#include "cli/arguments.hpp"

namespace tokenyard::cli {

// The table in the format that --format (or --json) asks for.  Throws InputError for an unknown
// format.
void print_table(const Table& table, const Arguments& arguments);
void print(const std::string& text);
// A file as a whole or not at all: written beside the target first, so that an error leaves what was
// there.  Throws InputError when it cannot be written.
void write_whole(const std::string& path, const std::string& text);
// Refuses a file of an option that could not be written, before anything is simulated for it.
void check_writable(const std::string& option, const std::string& path);

// A line on standard error that is drawn over itself; draws nothing unless that is a terminal, and
// nothing in the first second.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // share: 0 .. 1 of the whole, negative when unknown.
  void draw(double share, const std::string& text);
  void clear();
  [[nodiscard]] double elapsed_s() const;

 private:
  bool enabled_;
  double start_s_;
  double drawn_s_ = -1.0;
  bool visible_ = false;
};

}  // namespace tokenyard::cli
