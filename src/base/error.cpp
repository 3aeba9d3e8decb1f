#include "base/error.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <tuple>
#include <utility>

namespace tokenyard {
namespace {

constexpr std::size_t kLongestListing = 160;  // characters of a source line that are shown
constexpr std::size_t kLongestQuote = 60;     // characters of a user's word that a message repeats

std::string join_messages(const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const Diagnostic& d : diagnostics) {
    if (!text.empty()) text += '\n';
    text += format_diagnostic(d);
  }
  return text;
}

// Costs of one change, in thirds of a letter: a wrong case or a wrong separator is hardly a
// mistake.
constexpr std::size_t kLetter = 3;

std::size_t replacement_cost(char a, char b) {
  if (a == b) return 0;
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  const auto is_separator = [](char c) { return c == '_' || c == '-' || c == ' '; };
  if (lower(a) == lower(b) || (is_separator(a) && is_separator(b))) return 1;
  return kLetter;
}

// Edit distance in which two neighbouring letters swapped are one mistake.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = kLetter * j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = kLetter * i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + kLetter, row[j - 1] + kLetter,
                         last[j - 1] + replacement_cost(a[i - 1], b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + kLetter);
      }
    }
  }
  return row[b.size()];
}

// How far a word may be from the one that is meant: one letter of two or three, two of four and
// more, a third of a long word; and the case of every letter.
std::size_t most_distant(std::size_t length) {
  std::size_t letters = std::max<std::size_t>(2, length / 3);
  if (length < 4) letters = length < 2 ? 0 : 1;
  return std::max(kLetter * letters, length);
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

// The first `most` characters of UTF-8 text, control characters replaced: a user's file must not be
// able to steer the terminal that shows its errors.
std::string printable(std::string_view text, std::size_t most, char replacement) {
  std::string shown;
  std::size_t characters = 0;
  for (const char c : text) {
    if (!is_continuation(c) && ++characters > most) break;
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    shown += control ? replacement : c;
  }
  return shown;
}

}  // namespace

std::string quote_word(std::string_view word) {
  std::string shown = printable(word, kLongestQuote, '?');
  if (shown.size() < word.size()) shown += "...";
  return "'" + shown + "'";
}

std::string format_diagnostic(const Diagnostic& d) {
  std::string text;
  if (!d.place.file.empty()) {
    text += d.place.file + ':';
    if (d.place.line > 0) {
      text += std::to_string(d.place.line) + ':' + std::to_string(d.place.column) + ':';
    }
    text += ' ';
  }
  text += "error: ";
  if (!d.path.empty()) text += d.path + ": ";
  text += d.message;
  if (d.place.line > 0 && !d.place.source_line.empty()) {
    std::string number = std::to_string(d.place.line);
    if (number.size() < 5) number.insert(0, 5 - number.size(), ' ');
    const std::size_t before_caret =
        d.place.column > 0 ? static_cast<std::size_t>(d.place.column - 1) : 0;
    // A tab is shown as one space, so that the caret stands below the right column.
    text += '\n' + number + " | " + printable(d.place.source_line, kLongestListing, ' ');
    if (before_caret < kLongestListing) {
      text += '\n' + std::string(number.size(), ' ') + " | " + std::string(before_caret, ' ') + '^';
    }
  }
  if (!d.note.empty()) text += "\nnote: " + d.note;
  return text;
}

InputError::InputError(std::vector<Diagnostic> diagnostics)
    : std::runtime_error(join_messages(diagnostics)), diagnostics_(std::move(diagnostics)) {}

InputError::InputError(const std::string& message)
    : InputError(
          std::vector<Diagnostic>{{.place = {}, .path = {}, .message = message, .note = {}}}) {}

void Diagnostics::add(Place place, std::string path, std::string message, std::string note) {
  list_.push_back({std::move(place), std::move(path), std::move(message), std::move(note)});
}

void Diagnostics::throw_if_any() const {
  if (list_.empty()) return;
  std::map<std::string, std::size_t> files;  // file -> rank by first appearance
  for (const Diagnostic& d : list_) files.try_emplace(d.place.file, files.size());
  std::vector<Diagnostic> sorted = list_;
  std::stable_sort(sorted.begin(), sorted.end(), [&](const Diagnostic& a, const Diagnostic& b) {
    return std::tuple(files.at(a.place.file), a.place.line, a.place.column) <
           std::tuple(files.at(b.place.file), b.place.line, b.place.column);
  });
  throw InputError(std::move(sorted));
}

std::string nearest_name(std::string_view word, const std::vector<std::string>& candidates) {
  const std::size_t limit = most_distant(word.size());
  std::string nearest;
  std::size_t nearest_distance = limit + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t longer = std::max(word.size(), candidate.size());
    const std::size_t shorter = std::min(word.size(), candidate.size());
    if (kLetter * (longer - shorter) >= nearest_distance) continue;
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < nearest_distance) {
      nearest = candidate;
      nearest_distance = distance;
    }
  }
  if (!nearest.empty() || word.size() < 3) return nearest;
  // "h100" for "nvidia-h100-sxm5-80gb": the shortest candidate with a part that begins so.
  for (const std::string& candidate : candidates) {
    const std::size_t found = candidate.find(word);
    if (found == std::string::npos) continue;
    if (found > 0 && std::isalnum(static_cast<unsigned char>(candidate[found - 1])) != 0) continue;
    if (nearest.empty() || candidate.size() < nearest.size()) nearest = candidate;
  }
  return nearest;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string nearest = nearest_name(word, candidates);
  if (!nearest.empty()) return "; did you mean '" + nearest + "'?";
  if (candidates.empty()) return "";
  constexpr std::size_t kMostListed = 24;
  std::string text = "; accepted: ";
  for (std::size_t i = 0; i < std::min(candidates.size(), kMostListed); ++i) {
    if (i > 0) text += ", ";
    text += candidates[i];
  }
  if (candidates.size() > kMostListed) text += ", ...";
  return text;
}

}  // namespace tokenyard
