// examples/image_classifier/networks.hpp - the networks that can be trained, behind one face
//
//   std::unique_ptr<network> const net = make_network({.model = "small", .channels = 1, .classes = 10, ...}, random);
//   net->logits(x)                      as a user of the network has it
//   net->record(t, x, random)           as its training has it
//   limbic::adam optimizer(*net);       a network is a model: files, optimisers and checkpoints see its members
//
// What depends on a network's type is instantiated once, in a file of its own (small_network.cpp, emosynthnet.cpp); the rest of
// the program is compiled without any.
#pragma once

#include <limbic/core/visit.hpp>
#include <limbic/explain.hpp>
#include <limbic/nn/linear.hpp>
#include <limbic/nn/summary.hpp>
#include <limbic/ops/mul.hpp>
#include <limbic/ops/pairwise_cosine_similarity.hpp>
#include <limbic/tape/record.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

struct network_options {
  std::string model = "small";                // or emosynthnet
  std::ptrdiff_t width = 32;                  // channels of the first convolution, from which all others follow
  std::ptrdiff_t channels = 1, classes = 10;  // of the images, of the result
  std::ptrdiff_t height = 28, columns = 28;   // of the images
  std::string head = "linear";  // or cosine: the logits are scale times the cosines of features and weights
  double scale = 16;            // of a cosine head

  bool cosine() const { return head == "cosine"; }
};

// The logits, from what the last layer reads. A cosine head has no bias.
auto head_of(network_options const& o, auto const& features, limbic::linear<float> const& last) {
  if (!o.cosine()) return last(features);
  return limbic::mul(limbic::pairwise_cosine_similarity(features, last.weight), o.scale);
}

class network {
 public:
  network() = default;
  network(network const&) = delete;  // the members are pointed to
  network& operator=(network const&) = delete;
  virtual ~network() = default;

  // x (N, channels, height, columns) -> (N, classes); running statistics, nothing is dropped.
  virtual limbic::tensor<float, 2> logits(limbic::tensor<float, 4> const& x) const = 0;
  // The same on a tape, in training mode.
  virtual limbic::variable<float, 2> record(limbic::tape& t, limbic::tensor<float, 4> const& x,
                                            limbic::rng& random) const = 0;
  // Of one image.
  virtual limbic::model_summary summary() const = 0;
  // Why it thinks of these classes: limbic/explain.hpp.
  virtual limbic::tensor<float, 3> grad_cam(limbic::tensor<float, 4> const& x,
                                            limbic::tensor<std::int64_t, 1> const& classes,
                                            std::string_view layer) const = 0;
  virtual limbic::tensor<float, 4> guided_backpropagation(limbic::tensor<float, 4> const& x,
                                                          limbic::tensor<std::int64_t, 1> const& classes) const = 0;
  virtual limbic::tensor<float, 4> guided_grad_cam(limbic::tensor<float, 4> const& x,
                                                   limbic::tensor<std::int64_t, 1> const& classes,
                                                   std::string_view layer) const = 0;

  void each(auto f) {
    for (auto const& m : members_) std::visit([&](auto* member) { f(std::string_view(m.name), *member); }, m.member);
  }
  // Whether a member of this name belongs to the layer that gives the logits: networks name it last.
  bool in_last_layer(std::string_view name) const {
    std::string_view const last = members_.back().name;
    return name.substr(0, name.rfind('.')) == last.substr(0, last.rfind('.'));
  }
  // Takes the values of another network with the same options.
  void assign(network const& other) {
    for (std::size_t i = 0; i < members_.size(); ++i)
      std::visit([&](auto* member) { *member = *std::get<decltype(member)>(other.members_[i].member); },
                 members_[i].member);
  }

 protected:
  void list_members(auto& net) {
    limbic::visit_state(net,
                        [&](std::string_view name, auto& member) { members_.push_back({std::string(name), &member}); });
  }

 private:
  struct named_member {
    std::string name;
    std::variant<limbic::parameter<float, 4>*, limbic::parameter<float, 2>*, limbic::parameter<float, 1>*,
                 limbic::tensor<float, 1>*, limbic::tensor<std::int64_t, 0, limbic::scalar>*>
        member;
  };
  std::vector<named_member> members_;
};

// A network of the type Net, whose call takes images and a mode.
template <class Net> class network_of final : public network {
 public:
  network_of(network_options const& o, limbic::rng& random)
      : input_{{1, o.channels, o.height, o.columns}}, net_(o, random) {
    list_members(net_);
  }
  limbic::tensor<float, 2> logits(limbic::tensor<float, 4> const& x) const override {
    return net_(x, limbic::evaluation{});
  }
  limbic::variable<float, 2> record(limbic::tape& t, limbic::tensor<float, 4> const& x,
                                    limbic::rng& random) const override {
    return net_(t(x), limbic::training{random});
  }
  limbic::model_summary summary() const override { return limbic::summary<float>(net_, input_); }
  limbic::tensor<float, 3> grad_cam(limbic::tensor<float, 4> const& x, limbic::tensor<std::int64_t, 1> const& classes,
                                    std::string_view layer) const override {
    return limbic::grad_cam(net_, x, classes, {layer});
  }
  limbic::tensor<float, 4> guided_backpropagation(limbic::tensor<float, 4> const& x,
                                                  limbic::tensor<std::int64_t, 1> const& classes) const override {
    return limbic::guided_backpropagation(net_, x, classes);
  }
  limbic::tensor<float, 4> guided_grad_cam(limbic::tensor<float, 4> const& x,
                                           limbic::tensor<std::int64_t, 1> const& classes,
                                           std::string_view layer) const override {
    return limbic::guided_grad_cam(net_, x, classes, {layer});
  }

 private:
  limbic::shape<4> input_;
  Net net_;
};

std::unique_ptr<network> make_small_network(network_options const& o, limbic::rng& random);
std::unique_ptr<network> make_emosynthnet(network_options const& o, limbic::rng& random);

inline std::unique_ptr<network> make_network(network_options const& o, limbic::rng& random) {
  return o.model == "small" ? make_small_network(o, random) : make_emosynthnet(o, random);
}
