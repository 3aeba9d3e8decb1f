#pragma once
// The bytes of a trace file, decompressed on the way when the file is zstd, whatever its name.
#include <cstddef>
#include <memory>
#include <string>

namespace tokenyard::workload {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills up to `capacity` bytes; 0 only at the end.  Throws InputError when the file cannot be
  // read or its compressed data is damaged.
  virtual std::size_t read(char* into, std::size_t capacity) = 0;
};

std::unique_ptr<ByteSource> open_bytes(const std::string& path);

}  // namespace tokenyard::workload
