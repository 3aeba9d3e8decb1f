#pragma once
// The devices of one replica that several models share: see simulation_swap.cpp.
#include <cstddef>
#include <vector>

namespace tokenyard::sim {

struct Slot {
  struct Model {
    std::size_t server;
    double load_s;       // of its weights
    double residence_s;  // how long it may stay though others are waited for
  };
  std::vector<Model> models;  // that share it
  std::size_t loaded = 0;     // of these, whose weights are there
  bool loading = false;       // ... or on their way
  double until_s = 0.0;       // its residence
  double armed_s = -1.0;      // until when somebody will wake

  [[nodiscard]] const Model& current() const { return models[loaded]; }
};

}  // namespace tokenyard::sim
