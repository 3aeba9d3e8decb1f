#include "study/result_file.hpp"

#include <unistd.h>

#include <filesystem>
#include <stdexcept>

namespace tokenyard::study {

namespace fs = std::filesystem;

ResultFile::ResultFile(const std::string& given) : path_(given) {
  if (!given.empty()) return;
  std::string folder = (fs::temp_directory_path() / "tokenyard_XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr)
    throw std::runtime_error("no temporary folder can be made in " +
                             fs::temp_directory_path().string());
  folder_ = folder;
  path_ = folder + "/runs.db";
}

ResultFile::~ResultFile() {
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

}  // namespace tokenyard::study
