// tests/models/block_fixture.hpp - compares a building block with what PyTorch computed: make_block_fixtures.py
#pragma once

#include <limbic/io/model.hpp>
#include <limbic/nn/mode.hpp>
#include <limbic/tape/record.hpp>

#include "../catch.hpp"

#include <cmath>
#include <string>

inline limbic::safetensors_file const& torch_blocks() {
  static limbic::safetensors_file const file(LIMBIC_SOURCE_DIR "/tests/models/data/blocks.safetensors");
  return file;
}

// A block below a name.
template <class Block> struct named_block {
  std::string name;
  Block& block;
  void each(auto f) { f(std::string_view(name), block); }
};

// The largest difference, in units of the largest element (or 1).
template <int R>
double block_difference(limbic::view<double const, R> const& a, limbic::tensor<double, R> const& b) {
  REQUIRE(a.shape() == b.shape());
  REQUIRE(a.is_contiguous());
  double most = 0, scale = 1;
  for (std::ptrdiff_t i = 0; i < a.size(); ++i) {
    double const d = std::abs(a.data()[i] - b.data()[i]);
    most = d <= most ? most : d;  // a NaN stays
    scale = std::max(scale, std::abs(b.data()[i]));
  }
  return most / scale;
}

// Takes the parameters that PyTorch had. Their names and shapes must be the same, and no one's may be left.
template <class Block> void load_block(Block& block, std::string const& name) {
  named_block<Block> all{name + ".state", block};
  limbic::load(all, torch_blocks(), {.allow_extra = true});
  std::ptrdiff_t loaded = 0, stored = 0;
  limbic::visit_state(all, [&](std::string_view, auto const&) { ++loaded; });
  for (auto const& e : torch_blocks().entries()) stored += e.name.starts_with(all.name + ".");
  CHECK(loaded == stored);
}

// Results of rank R and all gradients, in one mode.
template <int R, class Block, class Mode>
void check_block(Block const& block, std::string const& name, std::string const& mode, Mode m) {
  INFO(name << ", " << mode);
  auto const& file = torch_blocks();
  std::string const at = name + "." + mode;
  auto const input = file.read<double, 4>(name + ".x");
  limbic::tape t;
  limbic::variable<double, 4> const x = t.variable(input);
  limbic::variable<double, R> const y = block(x, m);
  CHECK(block_difference<R>(y.value(), file.read<double, R>(at + ".y")) < 1e-12);
  t.backward(y, file.read<double, R>(name + ".cotangent"));
  CHECK(block_difference<4>(x.gradient(), file.read<double, 4>(at + ".gradient.x")) < 1e-11);
  limbic::visit_parameters(block, [&]<int P>(std::string_view part, limbic::parameter<double, P> const& p) {
    CAPTURE(part);
    CHECK(block_difference<P>(p.gradient(), file.read<double, P>(at + ".gradient.p." + std::string(part))) < 1e-11);
  });
  limbic::clear_gradients(block);
}

// In both modes, then the running statistics.
template <int R = 4, class Block> void check_block(Block& block, std::string const& name) {
  load_block(block, name);
  check_block<R>(block, name, "eval", limbic::evaluation{});
  limbic::rng random{.seed = 1};
  check_block<R>(block, name, "train", limbic::training{random});
  limbic::visit_state(std::as_const(block), [&]<class M>(std::string_view part, M const& member) {
    if constexpr (std::is_same_v<M, limbic::tensor<double, 1>>) {
      CAPTURE(part);
      CHECK(block_difference<1>(member.view(), torch_blocks().read<double, 1>(name + ".after." + std::string(part))) <
            1e-12);
    }
  });
}
