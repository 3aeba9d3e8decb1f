#include "base/hash.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.hpp"

using namespace tokenyard;

// Vectors of FIPS 180-2, appendix B, and of the NIST test set.
TEST_CASE("SHA-256 of the standard's examples") {
  CHECK(sha256_text("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_text("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256_text(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("data in pieces hashes like the whole") {
  Sha256 hash;
  hash.update("a");
  hash.update("");
  hash.update("bc");
  CHECK(hash.hex() == sha256_text("abc"));
}

TEST_CASE("a finished hash takes no more data") {
  Sha256 hash;
  CHECK(hash.hex() == sha256_text(""));
  CHECK_THROWS_AS(hash.update("x"), InternalError);
  CHECK_THROWS_AS(hash.hex(), InternalError);
}

TEST_CASE("a file hashes like its text, also beyond the size of one read") {
  const std::string path = std::filesystem::temp_directory_path() / "tokenyard_hash_test";
  const std::string text(3'000'000, 'x');
  std::ofstream(path, std::ios::binary) << text;
  CHECK(sha256_file(path) == sha256_text(text));
  std::filesystem::remove(path);
}

TEST_CASE("neither a missing file nor a directory hashes to anything") {
  CHECK_THROWS_WITH_AS(sha256_file("/nowhere/at/all"), "error: /nowhere/at/all: cannot be read",
                       InputError);
  CHECK_THROWS_WITH_AS(sha256_file("/"), "error: /: cannot be read", InputError);
}
