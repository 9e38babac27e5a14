// 06_safetensors - a model to a file and back, under the names that PyTorch gives
//
//   from safetensors.torch import load_file; module.load_state_dict(load_file("model.safetensors"))
//
// Before: 05_sequence.cpp    next: 07_hessian.cpp
#include "common/check.hpp"

#include <limbic/infer.hpp>
#include <limbic/io/model.hpp>

#include <cstring>
#include <filesystem>

using autoencoder = limbic::lstm_autoencoder<float>;

int main() {
  auto const path = (std::filesystem::temp_directory_path() / "limbic_06.safetensors").string();
  limbic::rng random{.seed = 5}, other{.seed = 6};
  autoencoder const net({.hidden_size = 8, .latent_size = 3}, random);
  limbic::save(net, path, {{"latent_size", "3"}});

  // What is in the file, without knowing the model.
  limbic::safetensors_file const file(path);
  std::printf("%s holds, for latent_size %s:\n", path.c_str(), file.metadata("latent_size")->c_str());
  for (auto const& entry : file.entries()) {
    std::printf("  %-24s", entry.name.c_str());
    for (auto const n : entry.shape) std::printf(" %td", n);
    std::printf("\n");
  }
  check(file.find("encoder.weight_hh_l0") != nullptr, "parameters have PyTorch's names");

  // Into a model that began elsewhere.
  autoencoder copy({.hidden_size = 8, .latent_size = 3}, other);
  limbic::tensor<float, 3> x({2, 10, 1});
  random.uniform(x);
  limbic::load(copy, path);
  auto const a = net(x), b = copy(x);
  check(std::memcmp(a.data(), b.data(), sizeof(float) * static_cast<std::size_t>(a.size())) == 0,
        "the loaded model gives the same bits");

  // A file that does not fit is refused before anything has changed.
  autoencoder larger({.hidden_size = 8, .latent_size = 4}, other);
  auto const before = larger(x);
  try {
    limbic::load(larger, path);
    check(false, "a model of another size is refused");
  } catch (limbic::io_error const& e) {
    std::printf("%s\n", e.what());
  }
  check(larger(x)(1, 9, 0) == before(1, 9, 0), "and the model is what it was");
  std::filesystem::remove(path);
}
