#include "catalog/catalog.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

#include "catalog/entry.hpp"
#include "catalog_fixture.hpp"

namespace tokenyard::catalog {
namespace {

const std::string kFormats =
    "source: pencil\n"
    "confidence: assumed\n"
    "formats: [{name: bf16, bits: 16, math: [bf16]}, {name: fp8, bits: 8, math: [fp8]}]\n";

}  // namespace

TEST_CASE("names are listed in order, and only those of files that can be entries") {
  const TemporaryCatalog files;
  files.write("hardware_catalog/devices/b.yaml", "");
  files.write("hardware_catalog/devices/a.yaml", "");
  files.write("hardware_catalog/devices/notes.txt", "");
  files.write("hardware_catalog/devices/.hidden.yaml", "");
  files.write("hardware_catalog/devices/with space.yaml", "");
  const Catalog catalog(files.root());
  CHECK(catalog.names(EntryKind::device) == std::vector<std::string>{"a", "b"});
  CHECK(catalog.names(EntryKind::site).empty());
}

TEST_CASE("a name never leads out of its folder") {
  const TemporaryCatalog files;
  files.write("hardware_catalog/devices/toy.yaml", kToyDevice);
  files.write("hardware_catalog/nodes/deep/toy.yaml", kToyDevice);
  Catalog catalog(files.root());
  Diagnostics diagnostics;
  CHECK(catalog.device("toy", diagnostics) != nullptr);
  for (const std::string name :
       {"../devices/toy", "./toy", "..", "", "deep/toy", "/etc/passwd", "toy\n", ".toy"}) {
    CAPTURE(name);
    CHECK_FALSE(is_plain_name(name));
    CHECK_FALSE(catalog.exists(EntryKind::device, name));
    CHECK(catalog.device(name, diagnostics) == nullptr);
    CHECK_THROWS_AS((void)catalog.path_of(EntryKind::device, name), InternalError);
  }
  CHECK(diagnostics.empty());
}

TEST_CASE("an entry is read once: the same object every time") {
  const TemporaryCatalog files;
  files.write("hardware_catalog/devices/toy.yaml", kToyDevice);
  Catalog catalog(files.root());
  Diagnostics diagnostics;
  const Device* first = catalog.device("toy", diagnostics);
  REQUIRE(first != nullptr);
  files.write("hardware_catalog/devices/toy.yaml", "broken: [");
  CHECK(catalog.device("toy", diagnostics) == first);
  CHECK(diagnostics.empty());
}

TEST_CASE(
    "an unknown name is nothing, without a complaint: the caller knows where it was written") {
  const TemporaryCatalog files;
  Catalog catalog(files.root());
  Diagnostics diagnostics;
  CHECK(catalog.model("llama", diagnostics) == nullptr);
  CHECK(diagnostics.empty());
}

TEST_CASE("a file whose name is not its own is refused at the name, and complained about once") {
  const TemporaryCatalog files;
  files.write("hardware_catalog/devices/tox.yaml", kToyDevice);
  Catalog catalog(files.root());
  Diagnostics diagnostics;
  CHECK(catalog.device("tox", diagnostics) == nullptr);
  CHECK(catalog.device("tox", diagnostics) == nullptr);
  CHECK(shown(diagnostics) ==
        files.root() +
            "/hardware_catalog/devices/tox.yaml:1:7: error: name: 'toy' stands in a file called "
            "'tox.yaml'; the two must agree\n"
            "    1 | name: toy\n"
            "      |       ^\n");
}

TEST_CASE("an empty file is one complaint") {
  const TemporaryCatalog files;
  files.write("hardware_catalog/sites/hall.yaml", "");
  Catalog catalog(files.root());
  Diagnostics diagnostics;
  CHECK(catalog.site("hall", diagnostics) == nullptr);
  CHECK(shown(diagnostics) ==
        files.root() + "/hardware_catalog/sites/hall.yaml:1:1: error: nothing is written here\n");
}

TEST_CASE("a peak in a number format that does not exist is refused where it is written") {
  const TemporaryCatalog files;
  files.write("workloads/formats.yaml", kFormats);
  files.write("hardware_catalog/devices/toy.yaml", replaced(kToyDevice, "bf16", "bf61"));
  Catalog catalog(files.root());
  Diagnostics diagnostics;
  CHECK(catalog.device("toy", diagnostics) == nullptr);
  CHECK(shown(diagnostics) == files.root() +
                                  "/hardware_catalog/devices/toy.yaml:6:25: error: "
                                  "engines[0].peak: no number format 'bf61' in "
                                  "workloads/formats.yaml; did you mean 'bf16'?\n"
                                  "    6 |   - {name: main, peak: {bf61: 100 TFLOP/s}}\n"
                                  "      |                         ^\n");
}

TEST_CASE("the catalog directory is the one given, else the variable's, else the nearest") {
  const TemporaryCatalog files;
  CHECK(find_catalog_root(files.root()) == files.root());
  ::setenv("TOKENYARD_CATALOG", files.root().c_str(), 1);
  CHECK(find_catalog_root("") == files.root());
  ::setenv("TOKENYARD_CATALOG", "/nowhere", 1);
  CHECK_THROWS_WITH_AS(
      (void)find_catalog_root(""),
      "error: the directory in TOKENYARD_CATALOG, '/nowhere' holds no folder 'hardware_catalog'",
      InputError);
  ::unsetenv("TOKENYARD_CATALOG");
  CHECK_THROWS_WITH_AS((void)find_catalog_root("/nowhere"),
                       "error: the catalog directory '/nowhere' holds no folder 'hardware_catalog'",
                       InputError);
  const std::filesystem::path before = std::filesystem::current_path();
  files.write("scenarios/deep/x.yaml", "");
  std::filesystem::current_path(files.root() + "/scenarios/deep");
  const std::string found = find_catalog_root("");
  std::filesystem::current_path(files.root());
  CHECK(find_catalog_root("") == ".");
  std::filesystem::current_path(before);
  CHECK(std::filesystem::equivalent(found, files.root()));
}

}  // namespace tokenyard::catalog
