#include <doctest/doctest.h>

#include "audit_claims.hpp"

namespace tokenyard::study {
namespace {

// What is wrong with the formula of a claim of 1, by the message alone.
std::string formula_problem(const std::string& formula, const std::string& head = kLeaflet) {
  const std::string all = audit_refusal(
      head + "expect:\n  - {id: a, claim: c, value: 1, compute: '" + formula + "'}\n");
  const std::string path = "expect[0].compute: '" + formula + "' (character 1): ";
  const std::size_t at = all.find(path);
  if (at == std::string::npos) return all;
  const std::size_t from = at + path.size();
  return all.substr(from, all.find('\n', from) - from);
}

}  // namespace

TEST_CASE("a formula's mistake is shown at its place in the file, with the nearest name") {
  CHECK(audit_refusal(
            kLeaflet +
            "expect:\n  - {id: a, claim: c, value: 1, compute: 'device(\"tory\", \"x\")'}\n") ==
        "s.yaml:4:42: error: expect[0].compute: 'device(\"tory\", \"x\")' (character 1): no device "
        "'tory' in the catalog; did you mean 'toy'?\n"
        "    4 |   - {id: a, claim: c, value: 1, compute: 'device(\"tory\", \"x\")'}\n"
        "      |                                          ^");
}

TEST_CASE("wrong names in arguments are answered with the nearest right one") {
  CHECK(formula_problem("device(\"toy\", \"memory[hmb].capacity\")") ==
        "'toy' has no number 'memory[hmb].capacity'; did you mean 'memory[hbm].capacity'?");
  CHECK(formula_problem("node(\"toy-nod\", \"x\")") ==
        "no node 'toy-nod' in the catalog; did you mean 'toy-node'?");
  CHECK(formula_problem("kv_bytes(\"toy-4c\", \"bf16\")") ==
        "no model 'toy-4c' in the catalog; did you mean 'toy-4b'?");
  CHECK(formula_problem("kv_bytes(\"toy-4b\", \"bf61\")") ==
        "no number format 'bf61'; did you mean 'bf16'?");
  CHECK(formula_problem("model(\"toy-4b\", \"layer\")") ==
        "a model has no number 'layer'; did you mean 'layers'?");
  CHECK(formula_problem("kv_byte(\"toy-4b\", \"bf16\")") ==
        "unknown function 'kv_byte'; did you mean 'kv_bytes'?");
  CHECK(formula_problem("kv_tokens(\"mian\")", kToyMachine) ==
        "no pool 'mian'; did you mean 'main'?");
  CHECK(formula_problem("share(\"main\", 1, 1, \"weight_bww\")", kToyMachine) ==
        "a step has no cause 'weight_bww'; did you mean 'weight_bw'?");
  CHECK(formula_problem("metric(\"tpot_50_s\")", kToyMachine) ==
        "'tpot_50_s' is no metric; did you mean 'tpot_p50_s'?");
}

TEST_CASE("arguments of the wrong number or kind are answered with what is expected") {
  CHECK(formula_problem("kv_bytes(\"toy-4b\")") ==
        "'kv_bytes' has 1 argument; expected kv_bytes(model, format)");
  CHECK(formula_problem("kv_bytes(\"toy-4b\", 1)") ==
        "'format' of kv_bytes(model, format) is a value; expected a name in double quotes");
  CHECK(formula_problem("attention_flops(\"toy-4b\", [1 GB])") ==
        "'context' of attention_flops(model, context) is an amount of data; expected a plain "
        "number, such as '0.08', '8 %' or '671 G'");
  CHECK(formula_problem("attention_flops(\"toy-4b\", \"all\")") ==
        "'context' of attention_flops(model, context) is the text 'all'; expected a plain number");
  CHECK(formula_problem("attention_flops(\"toy-4b\", 0)") ==
        "'context' is 0; expected more than 0");
  CHECK(formula_problem("decode_step(\"main\", 257, 1)", kToyMachine) ==
        "'batch' is 257; expected a whole number from 1 to 256");
  CHECK(formula_problem("distinct_experts(\"toy-4b\", 1)") == "model 'toy-4b' has no experts");
}

TEST_CASE("what needs a machine or a simulation says so where there is none") {
  CHECK(formula_problem("kv_tokens(\"main\")") == "the scenario has no pools; give it a 'fleet'");
  CHECK(formula_problem("metric(\"mfu\")") ==
        "a metric needs a scenario with a workload and a fleet");
}

// On one device of 16 GB: 16 GB of weights.
TEST_CASE("a pool whose model does not fit is refused with the arithmetic") {
  const std::string problem =
      formula_problem("kv_tokens(\"main\")",
                      kToyMachine + "sweep: {\"fleet.pools[main].deploy.weights\": [wide]}\n");
  CAPTURE(problem);
  CHECK(problem.starts_with("pool 'main': toy-4b does not fit"));
  CHECK(problem.find("weights 16.0 GB + workspace 754 MB") != std::string::npos);
}

TEST_CASE("a result of another dimension than the claim is refused") {
  CHECK(audit_refusal(kLeaflet + "expect: [{id: a, claim: c, value: 1 GB, compute: '[1 s]'}]\n")
            .find("expect[0].compute: '[1 s]': comes to 1.00 s, a time; the claim is an amount of "
                  "data") != std::string::npos);
}

TEST_CASE("givens that go round in a circle are refused once, and what rests on them in silence") {
  CHECK(audit_refusal(kLeaflet +
                      "given:\n  a: {compute: b}\n  b: {compute: a}\n  c: {compute: a + 1}\n"
                      "expect: [{id: a, claim: c, value: 1, compute: c}]\n") ==
        "s.yaml:5:16: error: given.b.compute: 'a': goes round in a circle: 'a' needs "
        "'b' needs 'a'\n"
        "    5 |   b: {compute: a}\n"
        "      |                ^");
}

TEST_CASE("a wrong given is refused even where no claim uses it") {
  CHECK(
      audit_refusal(kLeaflet + "given: {a: {compute: '[1 s] + 1'}}\n"
                               "expect: [{id: a, claim: c, value: 1, compute: 1}]\n")
          .find(
              "given.a.compute: '[1 s] + 1' (character 7): '+' joins a time and a plain number") !=
      std::string::npos);
}

TEST_CASE("a claim that rests on what nobody knows is refused until something is assumed") {
  const std::string head = kLeaflet + "given: {m: {value: unknown, source: the page is silent}}\n";
  CHECK(
      audit_refusal(head + "expect: [{id: a, claim: c, value: 1, compute: m}]\n")
          .find(
              "expect[0].compute: 'm': the value of 'm' is not known: the page is silent; a claim "
              "that rests on it needs 'assuming'\n") != std::string::npos);
  CHECK(audit_refusal(head +
                      "expect: [{id: a, claim: c, value: 1, compute: m, assuming: {m: {value: "
                      "1, why: x}}}]\n") == "");
}

TEST_CASE("an unknown number of the catalog is unknown, not its band's middle") {
  const test::ToyYard yard;
  yard.edit("hardware_catalog/devices/toy.yaml", "price: 1000 USD",
            "price: {value: unknown, low: 500 USD, high: 2000 USD}");
  const std::string message = yard.message_of([&] {
    static_cast<void>(audit_of(yard, kLeaflet +
                                         "expect: [{id: a, claim: c, value: 1000 USD, compute: "
                                         "'device(\"toy\", \"price\")'}]\n"));
  });
  CHECK(message.find("the value of 'toy price' is not known: nobody has published it") !=
        std::string::npos);
}

TEST_CASE("bounds and other statements must be known") {
  const std::string head = kLeaflet + "given: {m: {value: unknown, source: silent}}\n";
  CHECK(
      audit_refusal(head + "expect: [{id: a, claim: c, value: 1, bound: {at_most: m, which: x}}]\n")
          .find("expect[0].bound.at_most: 'm': the value of 'm' is not known: silent\n") !=
      std::string::npos);
  CHECK(audit_refusal(head +
                      "expect: [{id: a, claim: c, value: 1, against: [{compute: m, what: x}]}]\n")
            .find("expect[0].against[0].compute: 'm': the value of 'm' is not known: silent\n") !=
        std::string::npos);
}

TEST_CASE("claims need an id, each its own, and assume only what is given") {
  CHECK(audit_refusal(kLeaflet + "given: {memory: {value: 1}}\n"
                                 "expect:\n"
                                 "  - {claim: c, value: 1, compute: memory}\n"
                                 "  - {id: a, claim: c, value: 1, compute: 1}\n"
                                 "  - {id: a, claim: c, value: 1, compute: 1,\n"
                                 "     assuming: {memry: {value: 1, why: x}}}\n") ==
        "s.yaml:5:5: error: expect[0]: a claim needs an 'id'\n"
        "    5 |   - {claim: c, value: 1, compute: memory}\n"
        "      |     ^\n"
        "s.yaml:7:5: error: expect[2].id: two claims have the id 'a'; the other is at s.yaml:6\n"
        "    7 |   - {id: a, claim: c, value: 1, compute: 1,\n"
        "      |     ^\n"
        "s.yaml:7:5: error: expect[2].assuming.memry: no given is called 'memry'; did you mean "
        "'memory'?\n"
        "    7 |   - {id: a, claim: c, value: 1, compute: 1,\n"
        "      |     ^");
}

TEST_CASE(
    "givens that no claim uses and assumptions that change nothing are refused at their place") {
  CHECK(audit_refusal(kLeaflet + "given:\n"
                                 "  a: {value: 1}\n"
                                 "  b: {compute: a + 1}\n"
                                 "  c: {value: 3}\n"
                                 "  d: {compute: e}\n"
                                 "  e: {value: 4}\n"
                                 "expect:\n"
                                 "  - {id: x, claim: c, value: 2, compute: b,\n"
                                 "     against: [{compute: e - 2, what: x}],\n"
                                 "     assuming: {e: {value: 1, why: x}}}\n"
                                 "  - {id: y, claim: c, value: 2, compute: b,\n"
                                 "     assuming: {a: {value: 1, why: x}}}\n") ==
        "s.yaml:6:6: error: given.c: no claim uses 'c'\n"
        "    6 |   c: {value: 3}\n"
        "      |      ^\n"
        "s.yaml:7:6: error: given.d: no claim uses 'd'\n"
        "    7 |   d: {compute: e}\n"
        "      |      ^\n"
        "s.yaml:12:20: error: expect[0].assuming.e: the claim's 'compute' does not use 'e'\n"
        "   12 |      assuming: {e: {value: 1, why: x}}}\n"
        "      |                    ^");
  // Within a bound they are used.
  CHECK(audit_refusal(kLeaflet + "given: {a: {value: 1}, b: {compute: a}}\n"
                                 "expect: [{id: x, claim: c, value: 1, bound: {at_most: b, which: "
                                 "x}}]\n") == "");
}

TEST_CASE("a computed range has its lower end first") {
  CHECK(formula_problem("1") == "");
  CHECK(
      audit_refusal(kLeaflet + "expect: [{id: a, claim: c, value: [1, 2], compute: ['2', '1']}]\n")
          .find("'1': comes to 1.00, less than the lower end of the range, 2.00\n") !=
      std::string::npos);
  CHECK(audit_refusal(kLeaflet + "expect: [{id: a, claim: c, value: 1, against: [{compute: ['2', "
                                 "'1'], what: x}]}]\n")
            .find("expect[0].against[0].compute[1]: '1': comes to 1.00") != std::string::npos);
}

// 88,224 tokens of KV cache; the model attends to 100,000.
TEST_CASE("a replica has no time for what it cannot hold, and says what it can") {
  const std::string room = " of KV cache; a replica of pool 'main' has room for 88224";
  const auto problem = [](const std::string& formula) {
    return formula_problem(formula, kToyMachine);
  };
  CHECK(problem("decode_step(\"main\", 89, 1000)") ==
        "89 sequences of 1000 tokens are 89000 tokens" + room);
  CHECK(problem("decode_rate(\"main\", 1, 90000)") ==
        "1 sequence of 90000 tokens are 90000 tokens" + room);
  CHECK(problem("share(\"main\", 2, 50000, \"kv_bw\")") ==
        "2 sequences of 50000 tokens are 100000 tokens" + room);
  CHECK(problem("step_joules(\"main\", 2, 50000)") ==
        "2 sequences of 50000 tokens are 100000 tokens" + room);
  CHECK(problem("prefill_time(\"main\", 88225)") ==
        "1 sequence of 88225 tokens are 88225 tokens" + room);
  CHECK(problem("decode_time(\"main\", 88224, 1)") ==
        "1 sequence of 88225 tokens are 88225 tokens" + room);
  CHECK(problem("decode_step(\"main\", 1, 100001)") ==
        "100001 tokens of context are more than the 100000 of toy-4b");
  CHECK(problem("decode_time(\"main\", 99999, 2)") ==
        "100001 tokens of context are more than the 100000 of toy-4b");
  CHECK(problem("prefill_time(\"main\", 10000001)") ==
        "'tokens' is 1.00e+07; expected a whole number from 1 to 10000000");
}

TEST_CASE("a prompt in more than 100,000 chunks is not added up") {
  const test::ToyYard yard;
  yard.edit("workloads/models/toy-4b.yaml", "max_context: 100000", "max_context: 10000000");
  const std::string message = yard.message_of([&] {
    static_cast<void>(audit_of(
        yard, test::kToyScenario +
                  "serving: {scheduler: {max_batch: 1, max_batch_tokens: 2}}\n"
                  "expect: [{id: a, claim: c, value: 1 s, compute: 'prefill_time(\"main\", "
                  "200001)'}]\n"));
  });
  CHECK(
      message.find("200001 tokens in chunks of 2 are 100001 steps; at most 100000 are added up") !=
      std::string::npos);
}

TEST_CASE("only a metric is measured, and a measurement has no bound and no other statement") {
  CHECK(audit_refusal(kLeaflet +
                      "expect: [{id: a, claim: c, value: 1, compute: 1, measured: true}]\n")
            .find("expect[0].measured: is said of a 'metric'") != std::string::npos);
  CHECK(audit_refusal(kToyMachine +
                      "expect: [{metric: tpot_p50_s, measured: true, value: 1, bound: "
                      "{at_most: 1, which: x}}]\n")
            .find("expect[0].bound: has no place beside 'measured'") != std::string::npos);
}

TEST_CASE("a metric's claim in another unit is refused, and one that the run does not have") {
  CHECK(audit_refusal(kToyMachine + "expect: [{metric: tpot_p50_s, value: 1 GB}]\n")
            .find("expect[0].metric: 'tpot_p50_s' is a time; the claim is an amount of data") !=
        std::string::npos);
  CHECK(audit_refusal(kToyMachine + "expect: [{metric: usd_per_mtok_blendedd, value: 1}]\n")
            .find("expect[0].metric: 'usd_per_mtok_blendedd' is no metric; did you mean "
                  "'usd_per_mtok_blended'?") != std::string::npos);
}

}  // namespace tokenyard::study
