// The safetensors reader believes nothing, and the writer leaves the old file or the new one.
#include <limbic/io/safetensors.hpp>

#include "catch.hpp"
#include "scratch.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

using namespace limbic;

namespace {

namespace fs = std::filesystem;

// A file name in the folder for temporary files, removed at the end.
// A file of this header and body.
void write(scratch const& file, std::string const& header, std::string const& body) {
  std::uint64_t const n = header.size();
  file.write(std::string(reinterpret_cast<char const*>(&n), 8) + header + body);
}

// The message of the io_error that reading gives, or "" when the file is accepted.
std::string refusal(scratch const& file) {
  try {
    safetensors_file const f{std::string(file)};
    return "";
  } catch (io_error const& e) {
    return e.what();
  }
}

}  // namespace

TEST_CASE("what is saved is read back, bit by bit") {
  scratch const file;
  tensor<float, 2> const a({2, 3}, {1, -2.5F, 3, std::numeric_limits<float>::infinity(), 1e-42F, -0.0F});
  tensor<double, 1> const b({3}, {1.0 / 3, 1e300, -5});
  tensor<double, 0> const c({}, 7.25);
  tensor<std::int64_t, 1> const d({2}, {-1, 1LL << 60});
  tensor<float, 3> const nothing({2, 0, 4});
  tensor<std::uint8_t, 1> const odd({3}, {1, 2, 255});
  named_view const all[] = {{"odd", odd}, {"a.weight", a}, {"b", b}, {"scalar", c}, {"labels", d}, {"empty", nothing}};
  save_safetensors(file, all, {{"format", "pt"}, {"a \"quoted\" key\n", "\\ and \t and \x01 and é"}});

  safetensors_file const f{std::string(file)};
  CHECK(f.names() == std::vector<std::string>{"a.weight", "b", "empty", "labels", "odd", "scalar"});
  REQUIRE(f.metadata("format") != nullptr);
  CHECK(*f.metadata("format") == "pt");
  REQUIRE(f.metadata("a \"quoted\" key\n") != nullptr);
  CHECK(*f.metadata("a \"quoted\" key\n") == "\\ and \t and \x01 and é");
  CHECK(f.metadata("absent") == nullptr);
  CHECK(f.find("absent") == nullptr);
  REQUIRE(f.find("a.weight") != nullptr);
  CHECK(f.find("a.weight")->type == dtype::f32);
  CHECK(f.find("a.weight")->shape == std::vector<std::ptrdiff_t>{2, 3});
  CHECK(f.find("scalar")->shape.empty());

  auto const a2 = f.read<float, 2>("a.weight");
  CHECK(std::memcmp(a.data(), a2.data(), 24) == 0);
  auto const b2 = f.read<double, 1>("b");
  CHECK(std::memcmp(b.data(), b2.data(), 24) == 0);
  CHECK(f.read<double, 0>("scalar")() == 7.25);
  CHECK(f.read<std::int64_t, 1>("labels")(1) == 1LL << 60);
  CHECK(f.read<std::uint8_t, 1>("odd")(2) == 255);
  CHECK(f.read<float, 3>("empty").shape() == shape{2, 0, 4});

  tensor<double, 2> wider({2, 3});
  f.read("a.weight", wider.view());
  CHECK(wider(0, 1) == -2.5);
  CHECK(std::isinf(wider(1, 0)));
  CHECK(f.read<float, 1>("b")(0) == 1.0F / 3);

  // elements are aligned in the file, as other readers ask
  for (auto const& e : f.entries()) {
    auto const offset = static_cast<std::size_t>(e.bytes.data() - f.entries().front().bytes.data()) % 8;
    CHECK(offset % detail::describe(e.type).size == 0);
  }

  auto const first = file.read();
  save_safetensors(file, all, {{"format", "pt"}, {"a \"quoted\" key\n", "\\ and \t and \x01 and é"}});
  CHECK(file.read() == first);
}

TEST_CASE("a file of no tensors is a file") {
  scratch const file;
  save_safetensors(file, {});
  CHECK(safetensors_file{std::string(file)}.entries().empty());
  write(file, "{}", "");
  CHECK(refusal(file).empty());
  write(file, "  {\n} \t ", "");
  CHECK(refusal(file).empty());
}

TEST_CASE("half precision turns into float exactly") {
  scratch const file;
  std::uint16_t const half[] = {0x3C00, 0xC000, 0x0001, 0x83FF, 0x7C00, 0x7E00, 0x8000, 0x3555};
  std::string const body(reinterpret_cast<char const*>(half), 16);
  write(file, R"({"h":{"dtype":"F16","shape":[8],"data_offsets":[0,16]}})", body);
  auto const h = safetensors_file{std::string(file)}.read<float, 1>("h");
  CHECK(h(0) == 1.0F);
  CHECK(h(1) == -2.0F);
  CHECK(h(2) == std::ldexp(1.0F, -24));
  CHECK(h(3) == -1023 * std::ldexp(1.0F, -24));
  CHECK(std::isinf(h(4)));
  CHECK(std::isnan(h(5)));
  CHECK((h(6) == 0 && std::signbit(h(6))));
  CHECK(h(7) == 1365 * std::ldexp(1.0F, -12));
  write(file, R"({"h":{"dtype":"BF16","shape":[8],"data_offsets":[0,16]}})", body);
  auto const b = safetensors_file{std::string(file)}.read<double, 1>("h");
  CHECK(b(0) == std::ldexp(1.0, -7));  // 0x3C00: exponent 120 - 127
  CHECK(b(1) == -2.0);
}

TEST_CASE("other writers' JSON is understood") {
  scratch const file;
  write(file,
        "{ \"__metadata__\" : {\"k\\u00e9\\n\":\"\\ud83d\\ude00\\/\\\"\"} ,\n\t\"a\\tb\":{\"data_offsets\":[ 0 , 4 "
        "],\"shape\":[],"
        "\"dtype\":\"F32\"}}   ",
        std::string(4, '\0'));
  safetensors_file const f{std::string(file)};
  REQUIRE(f.metadata("k\xC3\xA9\n") != nullptr);
  CHECK(*f.metadata("k\xC3\xA9\n") == "\xF0\x9F\x98\x80/\"");
  CHECK(f.read<float, 0>("a\tb")() == 0);
}

TEST_CASE("a file that is cut anywhere is refused") {
  scratch const file;
  tensor<float, 2> const a({2, 2}, {1, 2, 3, 4});
  tensor<double, 1> const b({2}, {1, 2});
  named_view const both[] = {{"a", a}, {"b", b}};
  save_safetensors(file, both, {{"k", "v"}});
  auto const whole = file.read();
  CHECK(refusal(file).empty());
  for (std::size_t n = 0; n < whole.size(); ++n) {
    file.write(whole.substr(0, n));
    INFO(n);
    CHECK(mentions(refusal(file), "limbic_test_"));
  }
  file.write(whole + "x");
  CHECK(mentions(refusal(file), "the tensors take 32 bytes, the file has 33"));
}

TEST_CASE("a header that lies is refused") {
  scratch const file;
  std::string const body(16, '\1');
  auto const one = [](std::string const& entry) { return "{\"a\":{" + entry + "}}"; };
  auto const two = [](std::string const& second) {
    return R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},)" + second + "}";
  };
  struct lie {
    std::string header, expected;
  };
  lie const lies[] = {
      {one(R"("dtype":"F32","shape":[4],"data_offsets":[0,16])"), ""},
      {one(R"("dtype":"F32","shape":[5],"data_offsets":[0,16])"), "needs 20 bytes, its offsets give 16"},
      {one(R"("dtype":"F32","shape":[5],"data_offsets":[0,20])"), "must lie within the 16 bytes"},
      {one(R"("dtype":"F32","shape":[4],"data_offsets":[16,0])"), "must lie within"},
      {one(R"("dtype":"F32","shape":[4],"data_offsets":[0])"), "must lie within"},
      {one(R"("dtype":"F32","shape":[3],"data_offsets":[4,16])"), "begins at offset 4, expected 0"},
      {one(R"("dtype":"F32","shape":[3],"data_offsets":[0,12])"), "the tensors take 12 bytes, the file has 16"},
      {one(R"("dtype":"F33","shape":[4],"data_offsets":[0,16])"), "unknown dtype 'F33'"},
      {one(R"("dtype":"F32","shape":[4])"), "needs dtype, shape and data_offsets"},
      {one(R"("dtype":"F32","shape":[4],"data_offsets":[0,16],"x":[])"), "has 'x'"},
      {one(R"("dtype":"F32","dtype":"F32","shape":[4],"data_offsets":[0,16])"), "has 'dtype' twice"},
      {one(R"("dtype":"F32","shape":[-4],"data_offsets":[0,16])"), "expected a whole number"},
      {one(R"("dtype":"F32","shape":[4.0],"data_offsets":[0,16])"), "malformed at byte"},
      {one(R"("dtype":"F32","shape":[04],"data_offsets":[0,16])"), "expected a whole number"},
      {one(R"("dtype":"F32","shape":[4,],"data_offsets":[0,16])"), "expected a whole number"},
      {one(R"("dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,16])"), "an extent of"},
      {one(R"("dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,16])"), "expected a smaller number"},
      {one(R"("dtype":"F32","shape":[4611686018427387905,4,1],"data_offsets":[0,16])"), "its offsets give 16"},
      {one(R"("dtype":4,"shape":[4],"data_offsets":[0,16])"), "malformed at byte"},
      {two(R"("b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]})"), "begins at offset 12, expected 16"},
      {two(R"("a":{"dtype":"F32","shape":[0],"data_offsets":[16,16]})"), "has 'a' twice"},
      {two(R"("b":{"dtype":"F32","shape":[0],"data_offsets":[16,16]})"), ""},
      {two(R"("b":{"dtype":"F32","shape":[0],"data_offsets":[8,8]})"), "begins at offset"},
      {R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}x)", "expected its end"},
      {R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]})", "malformed"},
      {R"({"a")", "malformed"},
      {R"({"a)", "malformed"},
      {R"({"\x":1})", "an escape sequence"},
      {R"({"\ud800":1})", "the second half of a surrogate pair"},
      {R"({"\udc00":1})", "the first half of a surrogate pair"},
      {R"({"\u12g4":1})", "four hexadecimal digits"},
      {"{\"a\nb\":1}", "no control character"},
      {R"([])", "malformed"},
      {"", "malformed"},
      {R"({"__metadata__":{"k":1}})", "malformed"},
  };
  for (auto const& l : lies) {
    write(file, l.header, body);
    auto const came = refusal(file);
    INFO(l.header << "\n" << came);
    CHECK(came.empty() == l.expected.empty());
    CHECK(mentions(came, l.expected));
  }
  file.write(std::string(8, '\xFF') + "{}");
  CHECK(mentions(refusal(file), "the header should be 18446744073709551615 bytes long"));
  fs::remove(file.path);
  CHECK(mentions(refusal(file), "cannot be opened"));
}

TEST_CASE("reading as something else is refused") {
  scratch const file;
  tensor<float, 2> const a({2, 3});
  tensor<std::int64_t, 1> const n({2});
  named_view const both[] = {{"a", a}, {"n", n}};
  save_safetensors(file, both);
  safetensors_file const f{std::string(file)};
  CHECK_THROWS_AS((f.read<float, 2>("b")), io_error);
  CHECK_THROWS_AS((f.read<float, 1>("a")), io_error);
  CHECK_THROWS_AS((f.read<std::int64_t, 2>("a")), io_error);
  CHECK_THROWS_AS((f.read<float, 1>("n")), io_error);
  CHECK_THROWS_AS((f.read<std::int32_t, 1>("n")), io_error);
  tensor<float, 2> other({3, 2});
  CHECK_THROWS_AS(f.read("a", other.view()), io_error);
  CHECK_THROWS_AS(f.read("a", other.view().transpose()), argument_error);
  try {
    f.read("a", other.view());
  } catch (io_error const& e) {
    CHECK(mentions(e.what(), "tensor 'a' has shape (2, 3), expected (3, 2)"));
  }
}

TEST_CASE("an error while writing leaves the old file") {
  scratch const file;
  file.write("old");
  tensor<float, 2> const a({2, 3});
  named_view const twice[] = {{"a", a}, {"a", a}};
  CHECK_THROWS_AS(save_safetensors(file, twice), argument_error);
  named_view const reserved[] = {{"__metadata__", a}};
  CHECK_THROWS_AS(save_safetensors(file, reserved), argument_error);
  CHECK_THROWS_AS(named_view("a", a.view().transpose()), argument_error);
  named_view lost("a", a);
  lost.data = nullptr;
  CHECK_THROWS_AS(save_safetensors(file, std::span(&lost, 1)), argument_error);
  CHECK(file.read() == "old");

  auto const folder = fs::temp_directory_path() / ("limbic_io_folder_" + std::to_string(getpid()));
  named_view const good[] = {{"a", a}};
  CHECK_THROWS_AS(save_safetensors((folder / "nowhere.safetensors").string(), good), io_error);
  fs::create_directories(folder / "taken");  // the name belongs to a folder: nothing may stay beside it
  CHECK_THROWS_AS(save_safetensors((folder / "taken").string(), good), io_error);
  CHECK(std::distance(fs::directory_iterator(folder), fs::directory_iterator()) == 1);
  fs::remove_all(folder);

  save_safetensors(file, good);
  CHECK(refusal(file).empty());
}

TEST_CASE("files that other programs wrote are read") {
  int files = 0, tensors = 0;
  for (auto const& entry : fs::directory_iterator(fs::path(LIMBIC_SOURCE_DIR) / "tests/reference/data")) {
    safetensors_file const f(entry.path().string());
    ++files;
    for (auto const& e : f.entries()) tensors += e.type == dtype::f64 || e.type == dtype::i64;
    CHECK(tensors > 0);
    CHECK(f.metadata("family") != nullptr);
  }
  CHECK(files > 30);
}
