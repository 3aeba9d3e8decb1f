#pragma once
// The two kinds of failure, and how a mistake in a user's file is shown.
//
// InputError: the user's file or command line is wrong; carries every problem found; exit code 2.
// InternalError: an invariant of ours broke; exit code 3.  An answer of "no" is neither: it is a
// normal result.
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tokenyard {

// Where something was written.  line and column count from 1, columns in characters, not bytes;
// line 0 means the file as a whole.
struct Place {
  std::string file;
  int line = 0;
  int column = 0;
  std::string source_line;  // text of that line, for the listing; may be empty
};

struct Diagnostic {
  Place place;
  std::string path;     // "fleet.pools[0].count"; empty for the whole file
  std::string message;  // "unknown key 'puee'; did you mean 'pue'?"
  std::string note;     // second line about another place; may be empty
};

// "file:line:col: error: path: message", then the source line and a caret.
std::string format_diagnostic(const Diagnostic& diagnostic);

class InputError : public std::runtime_error {
 public:
  explicit InputError(std::vector<Diagnostic> diagnostics);
  explicit InputError(const std::string& message);  // no place: a command line, a missing file
  [[nodiscard]] const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }

 private:
  std::vector<Diagnostic> diagnostics_;
};

class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// Throws InternalError when an invariant of ours does not hold.
inline void check(bool condition, const char* what) {
  if (!condition) throw InternalError(what);
}

// Collects the problems of one or more files, so that a user sees all of them at once.
class Diagnostics {
 public:
  void add(Place place, std::string path, std::string message, std::string note = {});
  [[nodiscard]] bool empty() const { return list_.empty(); }
  [[nodiscard]] const std::vector<Diagnostic>& list() const { return list_; }
  // Throws InputError with everything collected: file by file in the order first met, within a file
  // by line and column.  Does nothing when empty.
  void throw_if_any() const;

 private:
  std::vector<Diagnostic> list_;
};

// A user's word in a message: in quotes, control characters replaced, cut after 60 characters.
std::string quote_word(std::string_view word);

// The candidate nearest to `word` by edit distance (case and separators count little), else the
// shortest with a part that begins with the word, or "" when none is near enough to be meant.
std::string nearest_name(std::string_view word, const std::vector<std::string>& candidates);

// "; did you mean 'pue'?" or, when nothing is near, "; accepted: a, b, c".
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace tokenyard
