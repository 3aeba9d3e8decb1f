#pragma once
// The result database: one SQLite file, one transaction a run.
//
// A run is in the file whole or not at all, whenever the program is killed and however many
// programs write at once: each writes in one IMMEDIATE transaction and waits up to ten seconds for
// another's to end.  The rollback journal is used and not the write-ahead log, which does not work
// on network file systems and leaves two more files beside the result.
//
// Many runs at once write shards, files of one run each, which merge_shard copies into the
// database. A shard has its final name only when it is complete.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/records.hpp"

namespace tokenyard::store {

class Store {
 public:
  // Opens the database or makes a new one.  Throws InputError when the file is something else or of
  // another schema, and leaves it as it is.
  explicit Store(const std::string& path);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Writes the run and returns its number.  A run of the same key is replaced and keeps its number,
  // except that a failed run does not replace one that is done.
  // Throws std::runtime_error naming the file when it cannot be written (disk full, no permission);
  // nothing of this run is then stored, and earlier runs are as before.
  std::int64_t write_run(const RunRecord& record);

  // Copies the runs of a shard, as write_run would, in one transaction.  Returns their numbers
  // here. Throws InputError when the file is missing or not a shard.
  std::vector<std::int64_t> merge_shard(const std::string& shard_path);

  // The run of that key that is done: it need not be simulated again.
  [[nodiscard]] std::optional<std::int64_t> find_run(const RunKey& key) const;
  [[nodiscard]] bool has_run(const RunKey& key) const { return find_run(key).has_value(); }

  // Throws std::runtime_error naming the file when nothing can be written to it.
  void check_writable() const;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct State;
  std::string path_;
  std::unique_ptr<State> state_;
};

// Writes a new database of this one run, without journal and synchronisation, replacing a file of
// that name.  Throws std::runtime_error when it cannot be written, leaving no file.
void write_shard(const std::string& path, const RunRecord& record);

}  // namespace tokenyard::store
