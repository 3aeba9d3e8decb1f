#include "serving/adapter_cache.hpp"

#include <doctest/doctest.h>

namespace tokenyard::serving {

TEST_CASE(
    "adapters: the slot that was unused for longest is given away, never a pinned or loading one") {
  AdapterCache cache(2);
  REQUIRE(cache.start_loading(1));
  CHECK(cache.is_loading(1));
  CHECK_FALSE(cache.resident(1));
  REQUIRE(cache.start_loading(2));
  CHECK_FALSE(cache.start_loading(3));  // both slots are on their way
  cache.loaded(2);
  cache.loaded(1);
  cache.pin(2);
  cache.unpin(2);  // 1 has been unused for longer now
  REQUIRE(cache.start_loading(3));
  CHECK_FALSE(cache.resident(1));
  CHECK(cache.resident(2));
  cache.pin(2);
  CHECK_FALSE(cache.start_loading(4));
  cache.unpin(2);
  CHECK(cache.start_loading(4));
  CHECK_FALSE(cache.resident(2));
  CHECK(cache.loading() == 2);
  cache.clear();
  CHECK(cache.loading() == 0);
  CHECK(cache.start_loading(3));
}

TEST_CASE("adapters: one that two requests run with stays until both have ended") {
  AdapterCache cache(1);
  REQUIRE(cache.start_loading(7));
  cache.loaded(7);
  cache.pin(7);
  cache.pin(7);
  cache.unpin(7);
  CHECK_FALSE(cache.start_loading(8));
  cache.unpin(7);
  CHECK(cache.start_loading(8));
}

}  // namespace tokenyard::serving
