#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "input/node.hpp"

using namespace tokenyard;
using input::Node;

namespace {

// A folder of its own, gone with the test.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / "tokenyard_load_yaml_test") {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return file(name);
  }

 private:
  std::filesystem::path path_;
};

std::string message_of(const std::string& path) {
  Diagnostics diagnostics;
  const Node root = input::load_yaml(path, diagnostics);
  CHECK(root.kind == Node::Kind::null);
  try {
    diagnostics.throw_if_any();
  } catch (const InputError& e) {
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a file is read, and its values know its name") {
  const Folder folder;
  const std::string path = folder.write("a.yaml", "a: 1\n");
  Diagnostics diagnostics;
  const Node root = input::load_yaml(path, diagnostics);
  CHECK(diagnostics.empty());
  CHECK(root.find("a")->scalar == "1");
  CHECK(root.find("a")->place.file == path);
}

TEST_CASE("a problem in a file is shown with the file's name") {
  const Folder folder;
  const std::string path = folder.write("a.yaml", "a: [1\n");
  CHECK(message_of(path) == path +
                                ":1:6: error: not valid YAML: expected ',' or ']'\n"
                                "    1 | a: [1\n"
                                "      |      ^\n"
                                "note: it began at line 1, column 4");
}

TEST_CASE("an empty file says nothing, which is an error") {
  const Folder folder;
  const std::string path = folder.write("a.yaml", "");
  CHECK(message_of(path) == path + ":1:1: error: nothing is written here");
}

TEST_CASE("a missing file, a link to nowhere and a link to itself are told apart") {
  const Folder folder;
  std::filesystem::create_symlink("nowhere.yaml", folder.file("dangling.yaml"));
  std::filesystem::create_symlink("loop.yaml", folder.file("loop.yaml"));
  CHECK(message_of(folder.file("no.yaml")) ==
        folder.file("no.yaml") + ": error: there is no such file");
  CHECK(message_of(folder.file("dangling.yaml")) ==
        folder.file("dangling.yaml") + ": error: there is no such file");
  CHECK(message_of(folder.file("loop.yaml")) ==
        folder.file("loop.yaml") + ": error: cannot be read: Too many levels of symbolic links");
}

TEST_CASE("a path through a file is no file") {
  const Folder folder;
  const std::string path = folder.write("a.yaml", "a: 1\n") + "/b.yaml";
  CHECK(message_of(path) == path + ": error: there is no such file");
}

TEST_CASE("folders, pipes and devices are refused without being opened") {
  const Folder folder;
  CHECK(message_of(folder.file("")) == folder.file("") + ": error: is not a regular file");
  REQUIRE(mkfifo(folder.file("pipe").c_str(), 0600) == 0);
  CHECK(message_of(folder.file("pipe")) == folder.file("pipe") + ": error: is not a regular file");
  CHECK(message_of("/dev/zero") == "/dev/zero: error: is not a regular file");
  CHECK(message_of("/dev/null") == "/dev/null: error: is not a regular file");
}

TEST_CASE("a link to a file is that file") {
  const Folder folder;
  folder.write("a.yaml", "a: 1\n");
  std::filesystem::create_symlink("a.yaml", folder.file("link.yaml"));
  Diagnostics diagnostics;
  CHECK(input::load_yaml(folder.file("link.yaml"), diagnostics).find("a")->scalar == "1");
  CHECK(diagnostics.empty());
}

TEST_CASE("16 MiB are read, one byte more is refused") {
  const Folder folder;
  const std::string start = "a: 1\n#";
  const std::size_t limit = std::size_t{16} << 20U;
  const std::string whole =
      folder.write("whole.yaml", start + std::string(limit - start.size(), 'x'));
  Diagnostics diagnostics;
  CHECK(input::load_yaml(whole, diagnostics).find("a")->scalar == "1");
  CHECK(diagnostics.empty());
  const std::string more =
      folder.write("more.yaml", start + std::string(limit + 1 - start.size(), 'x'));
  CHECK(message_of(more) == more + ": error: is larger than 16 MiB");
}

TEST_CASE("a hole of a terabyte is refused as too large, not read") {
  const Folder folder;
  const std::string path = folder.write("hole.yaml", "");
  std::filesystem::resize_file(path, std::uintmax_t{1} << 40U);
  CHECK(message_of(path) == path + ": error: is larger than 16 MiB");
}
