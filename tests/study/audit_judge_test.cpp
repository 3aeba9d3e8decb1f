#include <doctest/doctest.h>

#include "study/audit_judge.hpp"

namespace tokenyard::study {
namespace {

Verdict verdict_of(const Evidence& evidence) {
  return judge(evidence).verdict;
}

// 74 claimed, with a tolerance of 3 %: 71.78 to 76.22 agree.
Evidence claim_of_74(Ends plain, Ends assumed = {}) {
  return {.claimed = {74.0},
          .tolerance = 0.03,
          .has_compute = true,
          .plain = std::move(plain),
          .assumed = std::move(assumed)};
}

}  // namespace

TEST_CASE("74 within 3 % holds for 71.78 to 76.22 and for nothing beside them") {
  CHECK(verdict_of(claim_of_74({71.78})) == Verdict::holds);
  CHECK(verdict_of(claim_of_74({76.22})) == Verdict::holds);
  CHECK(verdict_of(claim_of_74({71.77})) == Verdict::inconsistent);
  CHECK(verdict_of(claim_of_74({76.23})) == Verdict::inconsistent);
  CHECK(judge(claim_of_74({36.7})).compared == Ends{36.7});
}

TEST_CASE("without a tolerance only the very number holds, but for rounding of ours") {
  Evidence e{.claimed = {0.3}, .has_compute = true, .plain = {0.1 + 0.2}};
  CHECK(verdict_of(e) == Verdict::holds);
  e.plain = {0.3 * (1 + 1e-8)};
  CHECK(verdict_of(e) == Verdict::inconsistent);
  CHECK(verdict_of({.claimed = {0.0}, .has_compute = true, .plain = {0.0}}) == Verdict::holds);
}

TEST_CASE(
    "a claim that agrees only with an assumption needs it, whether it deviates or is unknown") {
  const Judgement deviates = judge(claim_of_74({36.7}, {73.4}));
  CHECK(deviates.verdict == Verdict::needs_an_assumption);
  CHECK(deviates.compared == Ends{73.4});
  CHECK(verdict_of(claim_of_74({}, {73.4})) == Verdict::needs_an_assumption);
  CHECK(verdict_of(claim_of_74({73.9}, {36.7})) == Verdict::holds);
}

TEST_CASE("an assumption that does not help leaves a claim inconsistent with what is known") {
  CHECK(judge(claim_of_74({36.7}, {50.0})).compared == Ends{36.7});
  const Judgement unknown = judge(claim_of_74({}, {50.0}));
  CHECK(unknown.verdict == Verdict::inconsistent);
  CHECK(unknown.compared == Ends{50.0});
  CHECK(judge(claim_of_74({}, {})).compared.empty());
}

TEST_CASE("another statement that deviates comes before a computation that agrees") {
  Evidence e = claim_of_74({74.0});
  e.against = {{{74.5}, "a", 0.01}, {{37.0}, "b", 0.05}, {{1.0}, "c", 0.05}};
  const Judgement judged = judge(e);
  CHECK(judged.verdict == Verdict::inconsistent);
  REQUIRE(judged.with != nullptr);
  CHECK(judged.with->what == "b");
  CHECK(judged.compared == Ends{37.0});
  e.against.resize(1);
  CHECK(verdict_of(e) == Verdict::holds);
}

TEST_CASE("a broken bound comes before everything; the bound itself is possible, above and below") {
  Evidence e = claim_of_74({74.0});
  e.against = {{{37.0}, "b", 0.05}};
  e.at_most = 73.99;
  CHECK(judge(e).verdict == Verdict::impossible);
  CHECK(judge(e).compared == Ends{73.99});
  e.at_most = 74.0;
  CHECK(verdict_of(e) == Verdict::inconsistent);
  e.against.clear();
  e.at_least = 74.0;
  CHECK(verdict_of(e) == Verdict::holds);
  e.at_least = 74.01;
  CHECK(judge(e).verdict == Verdict::impossible);
  CHECK(judge(e).compared == Ends{74.01});
}

TEST_CASE("a range is impossible as soon as one of its ends is") {
  Evidence e{.claimed = {10.0, 30.0}, .at_most = 29.0};
  CHECK(verdict_of(e) == Verdict::impossible);
  e.at_most = 30.0;
  CHECK(verdict_of(e) == Verdict::holds);
  e.at_least = 11.0;
  CHECK(verdict_of(e) == Verdict::impossible);
  CHECK(judge(e).compared == Ends{11.0});
}

TEST_CASE("without a computation, a claim holds that no bound and no statement objects to") {
  CHECK(verdict_of({.claimed = {16.0}, .at_most = 20.0}) == Verdict::holds);
  CHECK(verdict_of({.claimed = {16.0}, .against = {{{16.1}, "a", 0.01}}}) == Verdict::holds);
  CHECK(verdict_of({.claimed = {16.0}, .against = {{{17.0}, "a", 0.01}}}) == Verdict::inconsistent);
}

TEST_CASE("a range holds what lies inside it, widened at each end by its tolerance") {
  CHECK(agrees({10, 30}, {10}, 0.0));
  CHECK(agrees({10, 30}, {30}, 0.0));
  CHECK_FALSE(agrees({10, 30}, {9.99}, 0.0));
  CHECK_FALSE(agrees({10, 30}, {30.01}, 0.0));
  CHECK(agrees({10, 30}, {9.5}, 0.05));
  CHECK(agrees({10, 30}, {31.5}, 0.05));
  CHECK_FALSE(agrees({10, 30}, {31.6}, 0.05));
}

TEST_CASE("two ranges agree end by end") {
  CHECK(agrees({10, 30}, {10.1, 29.8}, 0.01));
  CHECK_FALSE(agrees({10, 30}, {10.2, 30}, 0.01));
  CHECK_FALSE(agrees({10, 30}, {10, 20}, 0.01));
}

// 15 with 5 %: 14.25 to 15.75.
TEST_CASE(
    "a number agrees with a computed range whose ends it agrees with, not with any around it") {
  CHECK(agrees({15}, {14.3, 15.7}, 0.05));
  CHECK_FALSE(agrees({15}, {14.2, 15.7}, 0.05));
  CHECK_FALSE(agrees({15}, {14.3, 15.8}, 0.05));
  CHECK_FALSE(agrees({15}, {10, 20}, 0.05));
  CHECK(agrees({15}, {10, 20}, 0.34));
  CHECK_FALSE(agrees({15}, {}, 10.0));
}

TEST_CASE("a measurement that the model does not reproduce says that the model is off") {
  Evidence e = claim_of_74({76.0});
  e.measured = true;
  CHECK(verdict_of(e) == Verdict::holds);
  e.plain = {77.0};
  CHECK(judge(e).verdict == Verdict::model_is_off);
  CHECK(judge(e).compared == Ends{77.0});
  CHECK(text_of(Verdict::model_is_off) == "model is off");
}

TEST_CASE("negative numbers have their tolerance on both sides too") {
  CHECK(agrees({-74}, {-76.2}, 0.03));
  CHECK(agrees({-30, -10}, {-30.9}, 0.03));
  CHECK_FALSE(agrees({-30, -10}, {-31}, 0.03));
}

}  // namespace tokenyard::study
