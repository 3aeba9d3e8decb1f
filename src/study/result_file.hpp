#pragma once
// Where a study's runs go: a database that the user named, or one that is gone when the study is
// over.
#include <string>

namespace tokenyard::study {

class ResultFile {
 public:
  // given: empty for a temporary one.
  explicit ResultFile(const std::string& given);
  ~ResultFile();
  ResultFile(const ResultFile&) = delete;
  ResultFile& operator=(const ResultFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_, folder_;
};

}  // namespace tokenyard::study
