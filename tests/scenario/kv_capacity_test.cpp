#include <doctest/doctest.h>

#include <algorithm>

#include "support/toy_yard.hpp"

namespace tokenyard::scenario {
namespace {

using test::kToyScenario;
using test::ToyYard;

std::string with_capacity(const std::string& capacity) {
  return kToyScenario + "serving: {kv_cache: {capacity: " + capacity + "}}\n";
}

std::string refusal(const std::string& capacity) {
  const std::string message = ToyYard().refusal(with_capacity(capacity));
  return message.substr(0, message.find('\n'));
}

bool assumes_capacity(const Plan& plan) {
  return std::any_of(plan.assumptions.begin(), plan.assumptions.end(), [](const Assumption& a) {
    return a.key == "serving.kv_cache.capacity" && a.value == "unlimited";
  });
}

}  // namespace

TEST_CASE("the KV cache holds what fits, so many tokens, or anything") {
  const ToyYard yard;
  const auto capacity = [&](const std::string& text) {
    return yard.plan(with_capacity(text)).scenario.serving.kv_cache.capacity;
  };
  CHECK((!capacity("auto").unlimited && !capacity("auto").tokens));
  CHECK((!capacity("4096").unlimited && capacity("4096").tokens == 4096));
  CHECK((capacity("unlimited").unlimited && !capacity("unlimited").tokens));
}

TEST_CASE(
    "the capacity decides the result: it is in the plan and its hash, and auto is the default") {
  const ToyYard yard;
  const Plan usual = yard.plan();
  CHECK(yard.plan(with_capacity("auto")).hash == usual.hash);
  CHECK(usual.json.find(R"("capacity":"auto")") != std::string::npos);
  const Plan unlimited = yard.plan(with_capacity("unlimited"));
  CHECK(unlimited.hash != usual.hash);
  CHECK(unlimited.json.find(R"("capacity":"unlimited")") != std::string::npos);
  const Plan some = yard.plan(with_capacity("4096"));
  CHECK(some.hash != usual.hash);
  CHECK(some.hash != unlimited.hash);
  CHECK(some.json.find(R"("capacity":4096)") != std::string::npos);
}

TEST_CASE("a cache that no device has is an assumption of the run") {
  const ToyYard yard;
  CHECK(assumes_capacity(yard.plan(with_capacity("unlimited"))));
  CHECK_FALSE(assumes_capacity(yard.plan()));
}

TEST_CASE("a capacity is a word it knows or at least one block of tokens") {
  CHECK(refusal("0") ==
        "s.yaml:11:32: error: serving.kv_cache.capacity: '0' is out of range; expected 'auto', "
        "'unlimited' or 1 to 1099511627776 tokens");
  CHECK(refusal("1099511627777") ==
        "s.yaml:11:32: error: serving.kv_cache.capacity: '1099511627777' is out of range; expected "
        "'auto', 'unlimited' or 1 to 1099511627776 tokens");
  CHECK(refusal("15") ==
        "s.yaml:11:32: error: serving.kv_cache.capacity: 15 tokens are less than one block of 16");
  CHECK(refusal("16") == "");
  CHECK(refusal("endless").find("serving.kv_cache.capacity: 'endless'") != std::string::npos);
}

TEST_CASE("what waits between turns stays for a time only where one is given") {
  const ToyYard yard;
  const auto with = [](const std::string& keys) {
    return kToyScenario + "serving: {kv_cache: {" + keys + "}}\n";
  };
  CHECK(yard.plan(with("between_turns: ttl, ttl: 5 min")).scenario.serving.kv_cache.ttl ==
        seconds(300));
  CHECK(ToyYard()
            .refusal(with("between_turns: ttl"))
            .find("serving.kv_cache.between_turns: 'ttl' needs a 'ttl' of how long") !=
        std::string::npos);
  CHECK(ToyYard()
            .refusal(with("ttl: 5 min"))
            .find("serving.kv_cache.ttl: has no effect without 'between_turns: ttl'") !=
        std::string::npos);
}

}  // namespace tokenyard::scenario
