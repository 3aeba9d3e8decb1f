#include <doctest/doctest.h>

#include "study/run_plan.hpp"
#include "support/toy_yard.hpp"

namespace tokenyard::study {
namespace {

using test::kToyScenario;
using test::ToyYard;

std::string refusal(const ToyYard& yard, const std::string& scenario) {
  return yard.message_of([&] { check_plan(yard.plan(scenario)); });
}

}  // namespace

TEST_CASE("a plan that can be simulated and paid is not refused") {
  const ToyYard yard;
  CHECK(refusal(yard, kToyScenario) == "");
}

// 4.0 G weights of 32 bits are 16 GB; workspace 8192 (2 * 8000 + 2 * 15000) 2 B = 754 MB; a device
// gives 90 % of 16 GB.  On two devices 8 GB + 508 MB fit.
TEST_CASE("a model that does not fit is refused with the arithmetic and the way out") {
  const ToyYard yard;
  CHECK(refusal(yard, kToyScenario + "        weights: wide\n") ==
        "s.yaml:10:9: error: fleet.pools[0].deploy: toy-4b does not fit toy on 1 device: "
        "weights 16.0 GB + workspace 754 MB + one KV block 1.02 MB per device > 14.4 GB, 90.0 % of "
        "hbm 16.0 GB; short by 2.35 GB per device; the smallest tensor_parallel that fits is 2\n"
        "   10 |         model: toy-4b\n"
        "      |         ^");
  CHECK(refusal(yard, kToyScenario + "        weights: wide\n        tensor_parallel: 2\n") == "");
}

TEST_CASE("a model that fits no number of the pool's devices is refused without a way out") {
  const ToyYard yard;
  yard.edit("hardware_catalog/devices/toy.yaml", "capacity: 16 GB", "capacity: 4 GB");
  CHECK(refusal(yard, kToyScenario) ==
        "s.yaml:10:9: error: fleet.pools[0].deploy: toy-4b does not fit toy on 1 device: "
        "weights 8.00 GB + workspace 754 MB + one KV block 1.02 MB per device > 3.60 GB, 90.0 % of "
        "hbm 4.00 GB; short by 5.15 GB per device\n"
        "   10 |         model: toy-4b\n"
        "      |         ^");
}

TEST_CASE("a missing price is refused before anything is simulated") {
  const ToyYard yard;
  yard.edit("hardware_catalog/devices/toy.yaml", "price: 1000 USD\n", "");
  CHECK(refusal(yard, kToyScenario) ==
        "s.yaml:7:7: error: fleet.pools[0]: device 'toy' of node 'toy-node' has no price; add "
        "'price' to hardware_catalog/devices/toy.yaml, or 'price' for the whole node to "
        "hardware_catalog/nodes/toy-node.yaml\n"
        "    7 |     - name: main\n"
        "      |       ^");
}

TEST_CASE("an expectation of a metric that does not exist is refused with the nearest name") {
  const ToyYard yard;
  CHECK(refusal(yard, kToyScenario + "expect:\n"
                                     "  - {metric: mfu, value: 0.5}\n"
                                     "  - {metric: ttft_99_s, value: 2}\n") ==
        "s.yaml:13:14: error: expect[1].metric: 'ttft_99_s' is no metric; did you mean "
        "'ttft_p99_s'?\n"
        "   13 |   - {metric: ttft_99_s, value: 2}\n"
        "      |              ^");
}

TEST_CASE("a fleet of more nodes than the switch has ports is refused: 65 on 64") {
  const ToyYard yard;
  CHECK(refusal(yard, kToyScenario + "      count: 64\n") == "");
  CHECK(refusal(yard, kToyScenario + "      count: 65\n") != "");
}

TEST_CASE("all that is wrong with a plan is said at once: fit, price and expectation") {
  const ToyYard yard;
  yard.edit("hardware_catalog/nodes/toy-node.yaml", ", price: 100 USD", "");
  const std::string message =
      refusal(yard, kToyScenario + "        weights: wide\nexpect: [{metric: speed, value: 1}]\n");
  CHECK(message.find("toy-4b does not fit") != std::string::npos);
  CHECK(message.find("the host of node 'toy-node' has no price") != std::string::npos);
  CHECK(message.find("expect[0].metric: 'speed' is no metric") != std::string::npos);
}

}  // namespace tokenyard::study
