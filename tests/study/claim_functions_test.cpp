#include <doctest/doctest.h>

#include "audit_claims.hpp"

namespace tokenyard::study {
namespace {

using doctest::Approx;

// A pencil's worth of digits.
Approx about(double value) {
  return Approx(value).epsilon(1e-9);
}

}  // namespace

// 2 * 8 heads * 128 * 126 layers * 2 B; MLA: (512 + 64) * 61 layers * 2 B
TEST_CASE("the KV cache of a token of 405B in bf16 is 516,096 B, of DeepSeek-V3 70,272 B") {
  CHECK(shipped_value("kv_bytes(\"llama-3.1-405b\", \"bf16\")", "B") == about(516'096));
  CHECK(shipped_value("kv_bytes(\"deepseek-v3\", \"bf16\")", "B") == about(70'272));
}

// 61 * 187,105,280 attention + 3 * 396,361,728 dense + 58 * (9 * 44,040,192 + 1,835,008)
// + 129,280 * 7,168 head = 36,624,596,992
TEST_CASE("one token of DeepSeek-V3 reads 36.62 G parameters, 36.62 GB of 8 bits") {
  CHECK(shipped_value("8 * weight_read(\"deepseek-v3\", \"fp8\", 1) / format_bits(\"fp8\")", "B") ==
        about(36'624'596'992.0));
}

// 989.4 TFLOP/s / 3.35 TB/s * 2 B / 2 FLOP; to the digits of the data sheet
TEST_CASE("an H100 in bf16 needs 295 sequences to be bound by compute") {
  CHECK(shipped_value("device(\"nvidia-h100-sxm5-80gb\", \"engines[tensor-cores].peak.bf16\") / "
                      "device(\"nvidia-h100-sxm5-80gb\", \"memory[hbm].bandwidth\")",
                      "FLOP/B") == Approx(295.2).epsilon(1e-3));
}

// 256 * (1 - (248/256)^N)
TEST_CASE("32 tokens of DeepSeek-V3 meet 163.3 distinct experts, one token 8") {
  CHECK(shipped_value("distinct_experts(\"deepseek-v3\", 1)") == about(8.0));
  CHECK(shipped_value("distinct_experts(\"deepseek-v3\", 32)") == Approx(163.3).epsilon(3e-4));
}

// MLA absorbed: 61 layers * 2 * 128 heads * (2 * 512 + 64); per byte 2 * 128 * 1088 / (576 * 2)
TEST_CASE("DeepSeek-V3 attends with 16.99 MFLOP a token of context, 241.8 FLOP for each byte") {
  CHECK(shipped_value("attention_flops(\"deepseek-v3\", 1)", "FLOP") == about(16'990'208));
  CHECK(shipped_value("attention_intensity(\"deepseek-v3\", \"bf16\")", "FLOP/B") ==
        about(2.0 * 128 * 1088 / 1152));
}

// toy-4b: 8 layers of 160 M attention and 240 M FFN, 0.8 G of tied head.
TEST_CASE("the toy model's counts: 4 G parameters, 0.8 G in the head, none in the embedding") {
  CHECK(toy_value("parameters(\"toy-4b\")") == about(4.0e9));
  CHECK(toy_value("active_parameters(\"toy-4b\")") == about(4.0e9));
  CHECK(toy_value("lm_head_parameters(\"toy-4b\")") == about(0.8e9));
  CHECK(toy_value("embedding_parameters(\"toy-4b\")") == 0.0);
  CHECK(toy_value("attention_parameters(\"toy-4b\")") == about(160e6));
  CHECK(toy_value("expert_parameters(\"toy-moe\")") == about(2e6));
  CHECK(toy_value("weight_bytes(\"toy-4b\", \"fp8\")", "B") == about(4.0e9));
  CHECK(toy_value("weight_read(\"toy-4b\", \"bf16\", 7)", "B") == about(8.0e9));
  CHECK(toy_value("linear_flops(\"toy-4b\")", "FLOP") == about(8.0e9));
  // 8 layers * 4 * 64 heads * 125 * 1000 tokens
  CHECK(toy_value("attention_flops(\"toy-4b\", 1000)", "FLOP") == about(256e6));
  CHECK(toy_value("model(\"toy-4b\", \"layers\")") == 8.0);
  CHECK(toy_value("model(\"toy-moe\", \"expert_hidden\")") == 1000.0);
}

TEST_CASE("numbers of devices and nodes go by their path, with the names of list elements") {
  CHECK(toy_value("device(\"toy\", \"engines[main].peak.bf16\")", "FLOP/s") == about(100e12));
  CHECK(toy_value("device(\"toy\", \"memory[hbm].capacity\")", "B") == about(16e9));
  CHECK(toy_value("device(\"toy\", \"links[wire].bandwidth\")", "B/s") == about(100e9));
  CHECK(toy_value("device(\"toy\", \"power.tdp\")", "W") == about(300));
  CHECK(toy_value("device(\"toy\", \"price\")", "USD") == about(1000));
  CHECK(toy_value("node(\"toy-node\", \"nics[nic].bandwidth\")", "B/s") == about(50e9));
  CHECK(toy_value("format_bits(\"wide\")") == 32.0);
}

// 10 % over 5 years: 0.263797; nothing over 4 years: a quarter.
TEST_CASE("the capital recovery factor of 10 % over 5 years is 0.2638, without interest 1/years") {
  CHECK(toy_value("crf([10 %], 5)") == Approx(0.263797).epsilon(1e-5));
  CHECK(toy_value("crf(0, 4)") == about(0.25));
}

// 14.4 GB less 8 GB of weights and 754 MB of workspace: 88,224 tokens of 64,000 B.
TEST_CASE("a toy replica is one device with 8 GB of weights and room for 88,224 tokens") {
  CHECK(toy_value("replica_devices(\"main\")") == 1.0);
  CHECK(toy_value("weight_bytes_per_device(\"main\")", "B") == about(8e9));
  CHECK(toy_value("kv_tokens(\"main\")") == 88'224.0);
}

// 8 GB of weights, 64,000 B for each token attended to and for the new one, at 1 TB/s.
TEST_CASE("a decode step at 1,000 tokens takes 8.064064 ms, of two sequences 8.128128 ms") {
  CHECK(toy_value("decode_step(\"main\", 1, 1000)", "s") == about(8.064064e-3));
  CHECK(toy_value("decode_step(\"main\", 2, 1000)", "s") == about(8.128128e-3));
  CHECK(toy_value("decode_rate(\"main\", 2, 1000)", "/s") == about(2 / 8.128128e-3));
  CHECK(toy_value("share(\"main\", 1, 1000, \"weight_bw\")") == about(8.0 / 8.064064));
  CHECK(toy_value("share(\"main\", 1, 1000, \"net_lat\")") == 0.0);
}

// Attending to 1, 2 ... 10 tokens and writing one each: 65 times 64,000 B.
TEST_CASE("ten tokens from nothing take 80.00416 ms") {
  CHECK(toy_value("decode_time(\"main\", 0, 10)", "s") == about(80.00416e-3));
}

// 6.4 GFLOP a token in the layers; 256,000 FLOP a pair; the head's 1.6 GB once, at the end.
TEST_CASE("a prompt of 8,192 tokens takes 611.8 ms; 10,000 take two chunks and 769.6 ms") {
  CHECK(toy_value("prefill_time(\"main\", 8192)", "s") ==
        about(0.524288 + 8192.0 * 8193 / 2 * 256e3 / 1e14 + 1.6e-3));
  CHECK(toy_value("prefill_time(\"main\", 10000)", "s") ==
        about(0.64 + 10000.0 * 10001 / 2 * 256e3 / 1e14 + 1.6e-3));
}

// 100 W idle and 100 pJ/B on 8.064064 GB; 1 pJ/FLOP on 8 GFLOP and 1,000 * 256,000 FLOP
TEST_CASE("that step takes 0.806 J of idling, 0.806 J of memory and 0.008 J of arithmetic") {
  CHECK(toy_value("step_joules(\"main\", 1, 1000)", "J") ==
        about(0.8064064 + 0.8064064 + 0.008256));
}

// 10 us fixed, 1 us a hop, 1 MB at 80 % of 100 GB/s
TEST_CASE("two devices reduce 1 MB in 23.5 us, and exchange it in as much") {
  CHECK(toy_value("all_reduce(\"main\", [1 MB], 2)", "s") == about(23.5e-6));
  CHECK(toy_value("all_to_all(\"main\", [1 MB], 2)", "s") == about(23.5e-6));
}

}  // namespace tokenyard::study
