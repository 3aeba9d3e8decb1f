#include "workload/byte_source.hpp"

#include <zstd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <vector>

#include "base/error.hpp"

namespace tokenyard::workload {
namespace {

[[noreturn]] void refuse(const std::string& path, std::string message) {
  throw InputError({{.place = {.file = path, .line = 0, .column = 0, .source_line = {}},
                     .path = {},
                     .message = std::move(message),
                     .note = {}}});
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

class PlainSource : public ByteSource {
 public:
  PlainSource(File file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  std::size_t read(char* into, std::size_t capacity) override {
    const std::size_t got = std::fread(into, 1, capacity, file_.get());
    if (got == 0 && std::ferror(file_.get()) != 0) {
      refuse(path_, std::string("cannot be read: ") + std::strerror(errno));
    }
    return got;
  }

 private:
  File file_;
  std::string path_;
};

struct FreeDecoder {
  void operator()(ZSTD_DCtx* decoder) const { ZSTD_freeDCtx(decoder); }
};

class ZstdSource : public ByteSource {
 public:
  ZstdSource(File file, std::string path)
      : file_(std::move(file), path),
        path_(std::move(path)),
        decoder_(ZSTD_createDCtx()),
        buffer_(ZSTD_DStreamInSize()) {
    check(decoder_ != nullptr, "zstd gave no decoder");
  }

  std::size_t read(char* into, std::size_t capacity) override {
    ZSTD_outBuffer out{into, capacity, 0};
    while (out.pos == 0) {
      if (in_.pos == in_.size) {
        in_ = {buffer_.data(), file_.read(buffer_.data(), buffer_.size()), 0};
        if (in_.size == 0) {
          if (frame_open_)
            refuse(path_, "the compressed data ends in the middle; the file is cut off");
          return 0;
        }
      }
      const std::size_t left = ZSTD_decompressStream(decoder_.get(), &out, &in_);
      if (ZSTD_isError(left) != 0) {
        refuse(path_, std::string("is not valid zstd data: ") + ZSTD_getErrorName(left));
      }
      frame_open_ = left != 0;
    }
    return out.pos;
  }

 private:
  PlainSource file_;
  std::string path_;
  std::unique_ptr<ZSTD_DCtx, FreeDecoder> decoder_;
  std::vector<char> buffer_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool frame_open_ = false;
};

bool starts_as_zstd(std::FILE* file) {
  constexpr std::array<unsigned char, 4> kMagic{0x28, 0xb5, 0x2f, 0xfd};
  std::array<unsigned char, 4> first{};
  const std::size_t got = std::fread(first.data(), 1, first.size(), file);
  std::rewind(file);
  return got == first.size() && first == kMagic;
}

}  // namespace

std::unique_ptr<ByteSource> open_bytes(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) refuse(path, "there is no such file");
  if (!std::filesystem::is_regular_file(status)) refuse(path, "is not a regular file");
  File file(std::fopen(path.c_str(), "rb"));
  if (!file) refuse(path, std::string("cannot be opened: ") + std::strerror(errno));
  if (starts_as_zstd(file.get())) return std::make_unique<ZstdSource>(std::move(file), path);
  return std::make_unique<PlainSource>(std::move(file), path);
}

}  // namespace tokenyard::workload
