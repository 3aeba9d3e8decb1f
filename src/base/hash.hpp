#pragma once
// SHA-256 of a text or a file, as 64 hexadecimal digits: identifies plans, traces and results.
#include <memory>
#include <string>
#include <string_view>

namespace tokenyard {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(std::string_view data);
  std::string hex();  // finishes; the object cannot be used again

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_text(std::string_view text);
// Reads the file in pieces.  Throws InputError when it cannot be read.
std::string sha256_file(const std::string& path);

}  // namespace tokenyard
