// 12_arrays - arrays to Python and back: NumPy's npy and npz, a table of text, and a model's state_dict
//
//   12_arrays                           shows it
//   12_arrays IN.npz OUT.npz            reads x (samples, features), writes what is standardised, and its percentiles
//   12_arrays IN.safetensors OUT.safetensors
//                                       an LSTM autoencoder's state_dict and x: writes the same, and its z and y
//
// tests/examples/test_12_arrays.py compares both with NumPy and PyTorch.
//
// Before: 11_checkpoint.cpp    next: latent_dimension/main.cpp, where it all comes together
#include "common/check.hpp"

#include <limbic/data.hpp>
#include <limbic/infer.hpp>
#include <limbic/io/csv.hpp>
#include <limbic/io/model.hpp>
#include <limbic/io/npz.hpp>

#include <cstring>
#include <filesystem>

using limbic::tensor;

void standardise(std::string const& from, std::string const& to) {
  auto const x = limbic::npz_file(from).read<double, 2>("x");
  limbic::standard_scaler const scaler(x);
  auto const scaled = scaler.transform(x);
  auto const median = limbic::percentile(x, 50, 0), high = limbic::percentile(x, 90, 0);
  auto const counts = limbic::histogram(x, {.bins = 7}).counts;
  tensor<float, 3> const rounded({1, 2, 2}, {0.1F, 1, 2, -3});
  tensor<bool, 1> const truth({2}, {true, false});
  limbic::named_view const arrays[] = {{"scaled", scaled}, {"median", median},   {"high", high},
                                       {"counts", counts}, {"rounded", rounded}, {"truth", truth}};
  limbic::save_npz(to, arrays);
}

void autoencode(std::string const& from, std::string const& to) {
  limbic::safetensors_file const file(from);
  auto const& w = file.find("latent.weight")->shape;  // sizes are in the file: (latent, hidden)
  int layers = 1;
  while (file.find("encoder.weight_ih_l" + std::to_string(layers)) != nullptr) ++layers;
  limbic::rng random;
  limbic::lstm_autoencoder<double> net(
      {.input_size = file.find("output.weight")->shape[0], .hidden_size = w[1], .latent_size = w[0], .layers = layers},
      random);
  limbic::load(net, file, {.allow_extra = true});
  auto const x = file.read<double, 3>("x");
  auto const z = net.encode(x);
  auto const y = net(x);
  std::vector<limbic::named_view> all{{"x", x}, {"z", z}, {"y", y}};
  limbic::visit_parameters(std::as_const(net),
                           [&](std::string_view name, auto const& p) { all.emplace_back(std::string(name), p.value); });
  limbic::save_safetensors(to, all, {{"format", "pt"}});
}

int main(int argc, char** argv) {
  if (argc == 3) {
    std::string const from = argv[1];
    if (from.ends_with(".npz")) standardise(from, argv[2]);
    else autoencode(from, argv[2]);
    return 0;
  }
  auto const folder = std::filesystem::temp_directory_path();
  auto const npy = (folder / "limbic_12.npy").string(), npz = (folder / "limbic_12.npz").string();

  // From a table to arrays.
  limbic::csv_file const table(LIMBIC_SOURCE_DIR "/examples/data/airline-passengers.csv");
  auto const passengers = table.numbers<double>("Passengers");
  limbic::save_npy(npy, passengers);  // numpy.load("limbic_12.npy")
  limbic::npy_file const one(npy);
  std::printf("%td rows of the table, %td in %s\n", table.rows(), one.shape()[0], npy.c_str());
  auto const back = one.read<double, 1>();
  check(std::memcmp(back.data(), passengers.data(), sizeof(double) * static_cast<std::size_t>(back.size())) == 0,
        "an array keeps every bit");

  // Several, by name.
  auto const windows = limbic::sliding_windows(passengers, {.length = 12});
  limbic::named_view const arrays[] = {{"series", passengers}, {"windows", windows}};
  limbic::save_npz(npz, arrays);  // numpy.load("limbic_12.npz")["windows"]
  limbic::npz_file const several(npz);
  for (auto const& name : several.names()) std::printf("%s has rank %zu\n", name.c_str(), several.shape(name).size());
  check(several.read<float, 2>("windows")(3, 4) == static_cast<float>(passengers(7)), "doubles are read as floats too");
  try {
    several.read<double, 1>("windows");
    check(false, "another rank is refused");
  } catch (limbic::io_error const& e) {
    std::printf("%s\n", e.what());
  }
  std::filesystem::remove(npy), std::filesystem::remove(npz);
}
