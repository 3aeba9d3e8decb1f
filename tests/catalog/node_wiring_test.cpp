#include <doctest/doctest.h>

#include "catalog_fixture.hpp"

namespace tokenyard::catalog {
namespace {

// A node of `devices` devices in that wiring.
NodeSpec node(NodeTopology topology, std::int64_t devices, std::vector<std::int64_t> shape = {}) {
  NodeSpec n;
  n.devices = {{.device = "toy", .count = devices}};
  n.topology = topology;
  n.shape = std::move(shape);
  return n;
}

std::int64_t ports(const NodeSpec& n, std::int64_t written) {
  Link link;
  link.ports = written;
  return n.ports_of(link);
}

const std::string kGrid =
    "name: box\n"
    "source: pencil\n"
    "confidence: assumed\n"
    "devices: [{device: toy, count: 8}]\n"
    "topology: torus\n"
    "link: wire\n"
    "shape: [2, 4]\n"
    "host: {cpu: any}\n";

}  // namespace

TEST_CASE("devices stand in the grid that is written, else in one row") {
  CHECK(node(NodeTopology::torus, 8, {2, 4}).sides() == std::vector<std::int64_t>{2, 4});
  CHECK(node(NodeTopology::ring, 8).sides() == std::vector<std::int64_t>{8});
}

TEST_CASE("a link is split over its ports, and at least over those that the wiring takes") {
  CHECK(ports(node(NodeTopology::all_to_all_switch, 8), 18) == 1);  // all to the same switch
  CHECK(ports(node(NodeTopology::all_to_all_mesh, 8), 1) == 7);
  CHECK(ports(node(NodeTopology::all_to_all_mesh, 4), 7) == 7);  // four of them lead nowhere
  CHECK(ports(node(NodeTopology::torus, 8, {2, 4}), 1) == 4);
  CHECK(ports(node(NodeTopology::torus, 8, {2, 2, 2}), 1) == 6);
  CHECK(ports(node(NodeTopology::torus, 8, {1, 8}), 1) == 2);
  CHECK(ports(node(NodeTopology::mesh2d, 8, {2, 4}), 6) == 6);
  CHECK(ports(node(NodeTopology::ring, 8), 4) == 2);
}

TEST_CASE("a grid without a shape is refused, and one that holds other than the node's devices") {
  CHECK(complaints<NodeSpec>(kGrid) == "");
  CHECK(complaints<NodeSpec>(replaced(kGrid, "shape: [2, 4]\n", "")) ==
        "t.yaml:1:1: error: topology torus needs 'shape', the sides of its grid, such as [4, 4]\n"
        "    1 | name: box\n"
        "      | ^\n");
  CHECK(complaints<NodeSpec>(replaced(kGrid, "[2, 4]", "[2, 5]")) ==
        "t.yaml:7:8: error: shape: holds 10 devices; the node has 8\n"
        "    7 | shape: [2, 5]\n"
        "      |        ^\n");
}

}  // namespace tokenyard::catalog
