#include "cli/output.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/error.hpp"
#include "input/fields.hpp"
#include "report/render.hpp"

namespace tokenyard::cli {
namespace {

constexpr double kQuietS = 1.0;  // runs shorter than this show no progress
constexpr double kRedrawS = 0.1;
constexpr int kBarWidth = 24;

double steady_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

void print(const std::string& text) {
  std::cout << text << std::flush;
  if (!std::cout) throw std::runtime_error("standard output cannot be written");
}

void write_whole(const std::string& path, const std::string& text) {
  const std::string partial = path + ".partial";
  std::ofstream out(partial, std::ios::binary);
  out << text << std::flush;
  if (!out) {
    std::error_code ignored;
    std::filesystem::remove(partial, ignored);
    throw InputError(path + ": cannot be written");
  }
  out.close();
  std::error_code error;
  std::filesystem::rename(partial, path, error);
  if (!error) return;
  std::error_code ignored;
  std::filesystem::remove(partial, ignored);
  throw InputError(path + ": cannot be written: " + error.message());
}

void check_writable(const std::string& option, const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::is_directory(path, error))
    throw InputError("--" + option + ": " + path + " is a folder; expected a file");
  const fs::path folder = fs::absolute(path).parent_path();
  if (!fs::is_directory(folder, error))
    throw InputError("--" + option + ": there is no folder " + folder.string());
}

void print_table(const Table& table, const Arguments& arguments) {
  std::string name = arguments.has("json") ? "json" : arguments.text("format");
  if (name == "md") name = "markdown";
  const std::vector<std::string> names = input::names_of<report::Format>();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw InputError("--format: '" + name + "' is no format" + suggestion(name, names));
  const auto format = static_cast<report::Format>(found - names.begin());
  print(report::render(table, format,
                       {.bold_header = report::escapes_wanted(::isatty(STDOUT_FILENO) == 1)}));
}

ProgressLine::ProgressLine() : enabled_(::isatty(STDERR_FILENO) == 1), start_s_(steady_s()) {}

ProgressLine::~ProgressLine() {
  clear();
}

double ProgressLine::elapsed_s() const {
  return steady_s() - start_s_;
}

void ProgressLine::draw(double share, const std::string& text) {
  const double now_s = elapsed_s();
  if (!enabled_ || now_s < kQuietS || now_s - drawn_s_ < kRedrawS) return;
  drawn_s_ = now_s;
  visible_ = true;
  std::string bar;
  if (share >= 0.0) {
    const int filled = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * kBarWidth));
    bar = '[' + std::string(static_cast<std::size_t>(filled), '#') +
          std::string(static_cast<std::size_t>(kBarWidth - filled), '.') + "] ";
  }
  std::fprintf(stderr, "\r\033[K%s%s", bar.c_str(), text.c_str());
  std::fflush(stderr);
}

void ProgressLine::clear() {
  if (!visible_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  visible_ = false;
}

}  // namespace tokenyard::cli
