#include <doctest/doctest.h>

#include "audit_claims.hpp"
#include "store/query.hpp"

namespace tokenyard::study {
namespace {

using test::ToyYard;

AuditRow leaflet_row(const std::string& rest) {
  const ToyYard yard;
  return only_row(yard, kLeaflet + rest);
}

// One claim of 61.2 GB/s, computed as 136 GB/s times a share that `ingress` says.
AuditRow memory_claim(const std::string& ingress, const std::string& more = "") {
  return leaflet_row("given:\n  lpddr: {value: 136 GB/s}\n  ingress: {" + ingress +
                     "}\n  rate: {compute: lpddr * ingress}\nexpect:\n"
                     "  - {id: m, claim: fast, value: 61 GB/s, tolerance: 1 %, compute: rate" +
                     more + "}\n");
}

const std::string kAssumed = ", assuming: {ingress: {value: 45 %, why: as others reach}}";

}  // namespace

TEST_CASE("a claim that the arithmetic makes holds: 136 GB/s * 45 % is 61.2, 61 within 1 %") {
  const AuditRow row = memory_claim("value: 45 %");
  CHECK(row.verdict == Verdict::holds);
  CHECK((row.scenario == "leaflet" && row.id == "m" && row.claim == "fast"));
  CHECK(row.source == "a leaflet");
  CHECK((row.claimed_text == "61.0 GB/s" && row.compared_text == "61.2 GB/s"));
  CHECK(row.ratio.value() == doctest::Approx(61.2 / 61.0));
  CHECK((row.because.empty() && row.note.empty()));
}

TEST_CASE("an assumption stands in for a given in every given that is computed from it") {
  const AuditRow unknown = memory_claim("value: unknown", kAssumed);
  CHECK(unknown.verdict == Verdict::needs_an_assumption);
  CHECK(unknown.because == "ingress = 45.0 %: as others reach");
  CHECK(unknown.compared_text == "61.2 GB/s");
  CHECK(memory_claim("value: 100 %", kAssumed).verdict == Verdict::needs_an_assumption);
  CHECK(memory_claim("value: 45 %", kAssumed).verdict == Verdict::holds);
}

TEST_CASE(
    "what no assumption mends is inconsistent with our arithmetic, and the remark stays one") {
  const AuditRow row = memory_claim("value: 30 %", ", note: measured");
  CHECK(row.verdict == Verdict::inconsistent);
  CHECK(row.because == "with our arithmetic");
  CHECK(row.note == "measured");
  CHECK(row.compared_text == "40.8 GB/s");
  const AuditRow assumed =
      memory_claim("value: unknown", ", assuming: {ingress: {value: 90 %, why: at best}}");
  CHECK(assumed.verdict == Verdict::inconsistent);
  CHECK(assumed.because == "with our arithmetic, even with ingress = 90.0 %: at best");
}

TEST_CASE("a statement that deviates is named, with its own tolerance or else the claim's") {
  const std::string head = "expect: [{id: a, claim: c, value: 74 GB, tolerance: 1 %, against: [";
  CHECK(leaflet_row(head + "{compute: '[74.5 GB]', what: the table}]}]\n").verdict ==
        Verdict::holds);
  const AuditRow row = leaflet_row(head + "{compute: '[37 GB]', what: \"the page's 37 GB\"}]}]\n");
  CHECK(row.verdict == Verdict::inconsistent);
  CHECK(row.because == "with the page's 37 GB");
  CHECK(leaflet_row(head + "{compute: '[37 GB]', what: x, tolerance: 60 %}]}]\n").verdict ==
        Verdict::holds);
}

TEST_CASE("16 GB of SRAM on 858 mm2 is impossible at 1.5 MB/mm2: at most 1.29 GB") {
  const AuditRow row = leaflet_row(
      "expect: [{id: a, claim: c, value: 16 GB, bound: {at_most: '[1.5 MB] * 858', which: SRAM per "
      "area}}]\n");
  CHECK(row.verdict == Verdict::impossible);
  CHECK(row.because == "at most 1.29 GB is possible: SRAM per area");
  const AuditRow least = leaflet_row(
      "expect: [{id: a, claim: c, value: 1 ms, bound: {at_least: '[2 ms]', which: light}}]\n");
  CHECK(least.because == "at least 2.00 ms is needed: light");
}

TEST_CASE("ranges are shown with both ends and have no ratio") {
  const AuditRow row = leaflet_row(
      "expect: [{id: a, claim: c, value: [10 GB, 30 GB], compute: ['[10 GB]', '[30 GB]']}]\n");
  CHECK(row.verdict == Verdict::holds);
  CHECK(row.claimed_text == "10.0 GB to 30.0 GB");
  CHECK_FALSE(row.ratio.has_value());
}

TEST_CASE("both numbers are shown in the unit that the claim is written in, money per token too") {
  const auto shown = [](const std::string& value, const std::string& formula) {
    const AuditRow row = leaflet_row("expect: [{id: a, claim: c, value: " + value + ", compute: '" +
                                     formula + "'}]\n");
    return row.claimed_text + " | " + row.compared_text;
  };
  CHECK(shown("504 KiB", "516096 * [1 B]") == "504 KiB | 504 KiB");
  CHECK(shown("45 %", "0.5") == "45.0 % | 50.0 %");
  // 87,072 USD for 168 G tokens.
  CHECK(shown("0.52 USD/Mtokens", "[87072 USD] / [168 Gtokens]") ==
        "0.520 USD/Mtokens | 0.518 USD/Mtokens");
  CHECK(shown("17000 tokens/s", "[1 tokens] / [61 us]") == "17000 tokens/s | 16400 tokens/s");
  CHECK(shown("[1 GB, 2 TB]", "[3 MB]") == "1.00 GB to 2.00 TB | 0.00300 GB");
}

TEST_CASE("a claim's own source comes before the file's") {
  CHECK(
      leaflet_row("expect: [{id: a, claim: c, value: 1, compute: 1, source: a letter}]\n").source ==
      "a letter");
}

TEST_CASE("a metric is simulated and compared: each token takes 8 ms, and twice that is not 9") {
  const ToyYard yard;
  const Audit result = audit_of(
      yard, kToyMachine +
                "given: {doubled: {compute: 'metric(\"tpot_p50_s\") * 2'}}\n"
                "expect:\n"
                "  - {metric: tpot_p50_s, value: 8 ms, tolerance: 1 %, claim: by pencil}\n"
                "  - {id: b, metric: tpot_p50_s, value: 9 ms, tolerance: 1 %, claim: a leaflet}\n"
                "  - {id: c, value: 16 ms, tolerance: 1 %, claim: twice, compute: doubled}\n"
                "  - {id: d, value: 8 GB, claim: weights, compute: "
                "'weight_bytes_per_device(\"main\")'}\n");
  REQUIRE(result.rows.size() == 4);
  CHECK(result.rows[0].id == "tpot_p50_s");
  CHECK(result.rows[0].verdict == Verdict::holds);
  CHECK(result.rows[1].verdict == Verdict::inconsistent);
  CHECK(result.rows[1].because == "with the simulation");
  CHECK(result.rows[2].verdict == Verdict::holds);
  CHECK(result.rows[3].verdict == Verdict::holds);
  CHECK(result.broken.empty());
}

TEST_CASE("a measurement that the run does not reproduce shows that the model is off, 8 for 9 ms") {
  const ToyYard yard;
  const Audit result = audit_of(
      yard, kToyMachine +
                "expect:\n"
                "  - {id: a, metric: tpot_p50_s, measured: true, value: 8 ms, tolerance: 1 %}\n"
                "  - {id: b, metric: tpot_p50_s, measured: true, value: 9 ms, tolerance: 1 %}\n");
  REQUIRE(result.rows.size() == 2);
  CHECK(result.rows[0].verdict == Verdict::holds);
  CHECK(result.rows[1].verdict == Verdict::model_is_off);
  CHECK(result.rows[1].because == "our simulation does not reproduce the measurement");
  CHECK(audit_summary(result.rows).columns.back() == "model is off");
}

TEST_CASE(
    "the variants of a sweep are claims of their own: one replica of two holds on one device") {
  const ToyYard yard;
  const Audit result = audit_of(
      yard, kToyMachine +
                "expect: [{id: a, claim: c, value: 1, compute: 'replica_devices(\"main\")'}]\n"
                "sweep: {\"fleet.pools[main].deploy.tensor_parallel\": [1, 2]}\n");
  REQUIRE(result.rows.size() == 2);
  CHECK(result.rows[0].verdict == Verdict::holds);
  CHECK(result.rows[1].verdict == Verdict::inconsistent);
  CHECK(result.rows[1].scenario == "toy (fleet.pools[main].deploy.tensor_parallel=2)");
}

TEST_CASE("verdicts are stored as expectations; auditing again replaces them") {
  const ToyYard yard;
  const std::string db = yard.file("r.db");
  const std::string claims =
      kLeaflet +
      "expect:\n"
      "  - {id: a, claim: c, value: 2 GB, tolerance: 10 %, compute: '[3 GB]'}\n"
      "  - {id: b, claim: d, value: [2, 4], compute: 3}\n";
  for (int times = 0; times < 2; ++times) audit_of(yard, claims, {.db_path = db});
  CHECK(store::query(db, "SELECT scenario, variant, status FROM run").rows ==
        std::vector<std::vector<Cell>>{{"leaflet", "audit", "done"}});
  const auto rows =
      store::query(db,
                   "SELECT metric, expected, low, high, actual, ratio, verdict, claim, "
                   "source FROM expectation ORDER BY metric")
          .rows;
  REQUIRE(rows.size() == 2);
  CHECK(rows[0] ==
        std::vector<Cell>{"a", 2e9, 1.8e9, 2.2e9, 3e9, 1.5, "inconsistent", "c", "a leaflet"});
  CHECK(rows[1] ==
        std::vector<Cell>{"b", 3.0, 2.0, 4.0, 3.0, std::monostate{}, "holds", "d", "a leaflet"});
}

TEST_CASE("a simulated scenario keeps its run beside its verdicts") {
  const ToyYard yard;
  const std::string db = yard.file("r.db");
  audit_of(yard, kToyMachine + "expect: [{metric: tpot_p50_s, value: 8 ms, tolerance: 1 %}]\n",
           {.db_path = db});
  CHECK(store::query(db, "SELECT variant, requests_finished FROM run ORDER BY id").rows ==
        std::vector<std::vector<Cell>>{{"", std::int64_t{10}}, {"audit", std::int64_t{0}}});
}

TEST_CASE("the summary counts verdicts by source and in all") {
  const ToyYard yard;
  const Audit result =
      audit_of(yard, kLeaflet +
                         "expect:\n"
                         "  - {id: a, claim: c, value: 1, compute: 1}\n"
                         "  - {id: b, claim: c, value: 1, compute: 2, source: a letter}\n"
                         "  - {id: c, claim: c, value: 2, bound: {at_most: 1, which: x}}\n");
  const auto count = [](int n) { return Cell{std::int64_t{n}}; };
  CHECK(audit_summary(result.rows).rows ==
        std::vector<std::vector<Cell>>{
            {"a leaflet", count(2), count(1), count(0), count(0), count(1), count(0)},
            {"a letter", count(1), count(0), count(0), count(1), count(0), count(0)},
            {"all", count(3), count(1), count(0), count(1), count(1), count(0)}});
  CHECK(audit_table_of(result.rows, "a leaflet").rows.size() == 2);
  CHECK(audit_table(result.rows).rows.size() == 3);
}

}  // namespace tokenyard::study
