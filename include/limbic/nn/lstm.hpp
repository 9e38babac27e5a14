// limbic/nn/lstm.hpp - long short-term memory: layers and directions of ops/lstm.hpp, named as torch.nn.LSTM names them
//
//   lstm<float> encoder(input_size, hidden_size, random, {.layers = 2, .batch_first = true});
//   auto [y, h_n, c_n] = encoder(x);             // the initial state is zero
//   auto [y, h_n, c_n] = encoder(x, h_0, c_0);
//   auto [y, h_n, c_n] = decoder.repeat(z, 10);  // z (B, I) is the input of each of 10 steps
//
// shape   x (T, B, I), or (B, T, I) with batch_first; y has H * directions features; h_0, c_0, h_n, c_n are
//         (layers * directions, B, H), layer by layer, forward then reverse
// names   weight_ih_l0 (4H, I), weight_hh_l0 (4H, H), bias_ih_l0, bias_hh_l0 (4H), ... weight_ih_l0_reverse, ...
// start   all uniform in +-1 / sqrt(H), as in PyTorch
#pragma once

#include <limbic/core/random.hpp>
#include <limbic/nn/layer_list.hpp>
#include <limbic/ops/concatenate.hpp>
#include <limbic/ops/lstm.hpp>
#include <limbic/ops/reshape.hpp>
#include <limbic/ops/slice.hpp>

LIMBIC_BEGIN

struct lstm_options {
  int layers = 1;
  bool bidirectional = false;  // a second run from the back; results side by side
  bool bias = true;            // two of them a layer, as in PyTorch
  bool batch_first = false;
};

template <class T, class D = default_device> class lstm {
 public:
  lstm() = default;
  lstm(std::ptrdiff_t input_size, std::ptrdiff_t hidden_size, rng& random, lstm_options const& options = {})
      : options_(options) {
    if (input_size < 1 || hidden_size < 1 || options.layers < 1)
      fail<argument_error>("lstm", "input size, hidden size and layers must be positive, but are ", input_size, ", ",
                           hidden_size, ", ", options.layers);
    int const directions = options.bidirectional ? 2 : 1;
    double const bound = 1.0 / std::sqrt(static_cast<double>(hidden_size));
    cells_ = layer_list<cell>(options.layers * directions, [&](std::ptrdiff_t k) {
      std::ptrdiff_t const inputs = k < directions ? input_size : hidden_size * directions;
      cell c{parameter<T, 2, D>(shape<2>{{4 * hidden_size, inputs}}),
             parameter<T, 2, D>(shape<2>{{4 * hidden_size, hidden_size}}),
             parameter<T, 1, D>(shape<1>{{options.bias ? 4 * hidden_size : 0}}),
             parameter<T, 1, D>(shape<1>{{options.bias ? 4 * hidden_size : 0}})};
      random.uniform(c.weight_ih.value, -bound, bound);
      random.uniform(c.weight_hh.value, -bound, bound);
      random.uniform(c.bias_ih.value, -bound, bound);
      random.uniform(c.bias_hh.value, -bound, bound);
      return c;
    });
  }

  // What it was made with.
  lstm_options const& options() const { return options_; }

  template <operand X> auto operator()(X const& x) const { return run(x, no_state(), no_state(), 0); }
  template <operand X, operand H, operand C> auto operator()(X const& x, H const& h_0, C const& c_0) const {
    static_assert(rank_of<H> == 3 && rank_of<C> == 3, "limbic: lstm: initial states are (layers * directions, B, H)");
    for (auto const& s : {h_0.shape(), c_0.shape()})
      if (s[0] != cells_.size())
        fail<shape_error>("lstm", "an initial state needs ", cells_.size(), " layers and directions, but is ", s);
    return run(x, h_0, c_0, 0);
  }
  // The same input z (B, I) at each of so many steps, without copies of it.
  template <operand Z> auto repeat(Z const& z, std::ptrdiff_t steps) const {
    static_assert(rank_of<Z> == 2, "limbic: lstm: what is repeated over time is (B, I)");
    if (steps < 1) fail<argument_error>("lstm", "the input must be repeated at least once, not ", steps, " times");
    return run(unsqueeze(z, options_.batch_first ? 1 : 0), no_state(), no_state(), steps);
  }

  // Names the parameters as PyTorch does: weight_ih_l0, ..., bias_hh_l0_reverse.
  void each(auto f) {
    static constexpr std::string_view names[] = {"weight_ih_l", "weight_hh_l", "bias_ih_l", "bias_hh_l"};
    std::ptrdiff_t const directions = options_.bidirectional ? 2 : 1;
    for (std::ptrdiff_t k = 0; k < cells_.size(); ++k) {
      auto const named = [&](std::string_view prefix) {
        text name;
        name.add(prefix);
        detail::append(name, k / directions);
        return k % directions == 1 ? name.add("_reverse") : name;
      };
      f(named(names[0]).view(), cells_[k].weight_ih);
      f(named(names[1]).view(), cells_[k].weight_hh);
      if (!options_.bias) continue;
      f(named(names[2]).view(), cells_[k].bias_ih);
      f(named(names[3]).view(), cells_[k].bias_hh);
    }
  }

 private:
  struct cell {
    parameter<T, 2, D> weight_ih, weight_hh;
    parameter<T, 1, D> bias_ih, bias_hh;
  };
  struct no_state {};

  // Row k of the initial states, or nothing.
  template <class X, class S> static auto state(S const& s, std::ptrdiff_t k) {
    if constexpr (std::is_same_v<S, no_state>) return absent<X, 2>();
    else return select(s, 0, k);
  }
  template <class X, class H, class C>
  auto direction(X const& x, H const& h_0, C const& c_0, std::ptrdiff_t k, std::ptrdiff_t steps) const {
    bool const reverse = options_.bidirectional && k % 2 == 1;
    lstm_op const o{.batch_first = options_.batch_first, .reverse = reverse, .steps = steps};
    cell const& p = cells_[k];
    return apply(o, x, state<X>(h_0, k), state<X>(c_0, k), p.weight_ih, p.weight_hh, p.bias_ih, p.bias_hh);
  }
  // Both directions of one layer; the final states are appended to h_n and c_n.
  template <class X, class H, class C, class Y, class S>
  Y layer(X const& x, H const& h_0, C const& c_0, std::ptrdiff_t k, std::ptrdiff_t steps, S& h_n, S& c_n) const {
    auto const append = [](S& all, auto const& one, bool first) {
      all = first ? S(unsqueeze(one, 0)) : S(concatenate(0, all, unsqueeze(one, 0)));
    };
    auto [y, h, c] = direction(x, h_0, c_0, k, steps);
    append(h_n, h, k == 0);
    append(c_n, c, k == 0);
    if (!options_.bidirectional) return y;
    auto [y_back, h_back, c_back] = direction(x, h_0, c_0, k + 1, steps);
    append(h_n, h_back, false);
    append(c_n, c_back, false);
    return concatenate(2, y, y_back);
  }
  template <class X, class H, class C> auto run(X const& x, H const& h_0, C const& c_0, std::ptrdiff_t steps) const {
    static_assert(rank_of<X> == 3, "limbic: lstm: x is (T, B, I), or (B, T, I) with batch_first");
    if (cells_.size() == 0) fail<argument_error>("lstm", "this layer was default-constructed: it has no parameters");
    using Y = std::remove_cvref_t<decltype(std::get<0>(direction(x, h_0, c_0, 0, steps)))>;
    std::ptrdiff_t const directions = options_.bidirectional ? 2 : 1;
    Y h_n, c_n;
    Y y = layer<X, H, C, Y>(x, h_0, c_0, 0, steps, h_n, c_n);
    for (std::ptrdiff_t k = directions; k < cells_.size(); k += directions)
      y = layer<Y, H, C, Y>(y, h_0, c_0, k, 0, h_n, c_n);
    return std::tuple(std::move(y), std::move(h_n), std::move(c_n));
  }

  lstm_options options_;
  layer_list<cell> cells_;
};

LIMBIC_END
