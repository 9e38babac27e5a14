// npy and npz: what NumPy wrote is read, what is written is what NumPy writes, and nothing in a file is believed.
#include <limbic/io/npz.hpp>

#include "catch.hpp"
#include "scratch.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

using namespace limbic;

namespace {

std::string const from_numpy = LIMBIC_SOURCE_DIR "/tests/io/data/numpy.npz";

std::string npy(std::string const& header, std::string const& body) {
  std::string s("\x93NUMPY\x01\x00", 8);
  s += static_cast<char>(header.size() % 256);
  s += static_cast<char>(header.size() / 256);
  return s + header + body;
}
std::string npy_refusal(std::string const& bytes) {
  scratch const file;
  file.write(bytes);
  return refusal([&] { npy_file const f{std::string(file)}; });
}

// The six elements of each integer array of the fixture.
template <class T> void check_integers(npz_file const& file, std::string const& name) {
  auto const x = file.read<T, 2>(name);
  REQUIRE(x.shape() == shape{2, 3});
  T const expected[] = {std::numeric_limits<T>::min(), 1, 2, 3, std::numeric_limits<T>::max(), 7};
  for (int i = 0; i < 6; ++i) CHECK(x.data()[i] == expected[i]);
}

}  // namespace

TEST_CASE("arrays that NumPy wrote") {
  npz_file const file(from_numpy);
  check_integers<std::int8_t>(file, "i1");
  check_integers<std::int16_t>(file, "i2");
  check_integers<std::int32_t>(file, "i4");
  check_integers<std::int64_t>(file, "i8.npy");
  check_integers<std::uint8_t>(file, "u1");
  check_integers<std::uint16_t>(file, "u2");
  check_integers<std::uint32_t>(file, "u4");
  check_integers<std::uint64_t>(file, "u8");
  check_integers<std::int16_t>(file, "big_i2");
  check_integers<std::uint32_t>(file, "big_u4");
  check_integers<std::int64_t>(file, "big_i8");
  check_integers<std::int16_t>(file, "fortran_big");
  auto const truth = file.read<bool, 2>("b1");
  bool const expected[] = {false, true, false, true, false, true};
  for (int i = 0; i < 6; ++i) CHECK(truth.data()[i] == expected[i]);

  double const third[] = {std::ldexp(1365, -12), static_cast<double>(1 / 3.0F), 1 / 3.0};  // 1/3 with 11, 24, 53 bits
  double const tiny[] = {std::ldexp(1, -15), std::ldexp(1, -127), std::ldexp(1, -1023)};
  int k = 0;
  for (std::string const name : {"f2", "f4", "f8", "big_f2", "big_f4", "big_f8"}) {
    CAPTURE(name);
    auto const x = file.read<double, 2>(name);
    CHECK(x(0, 0) == 0);
    CHECK(x(0, 1) == third[k % 3]);
    CHECK(x(1, 0) == std::numeric_limits<double>::infinity());
    CHECK(std::isnan(x(1, 1)));
    CHECK(x(1, 2) == tiny[k % 3]);
    ++k;
  }
  CHECK(file.read<float, 2>("f8")(0, 1) == 1 / 3.0F);

  auto const fortran = file.read<double, 3>("fortran");
  REQUIRE(fortran.shape() == shape{2, 3, 4});
  for (int i = 0; i < 24; ++i) CHECK(fortran.data()[i] == i);
  CHECK(file.read<double, 0>("scalar")() == 2.5);
  CHECK(file.read<double, 3>("nothing").shape() == shape{2, 0, 3});
  CHECK(file.read<double, 5>("rank5")(1, 1, 1, 1, 0) == 30);
  for (std::string const name : {"vector", "version2", "version3"}) CHECK(file.read<double, 1>(name)(4) == 4);

  CHECK(file.contains("f2"));
  CHECK_FALSE(file.contains("f3"));
  CHECK(file.type("big_u4") == dtype::u32);
  CHECK(file.names().size() == 26);
  CHECK(mentions(refusal([&] { file.read<double, 1>("f8"); }), "'f8': the array has shape (2, 3), expected rank 1"));
  CHECK(mentions(refusal([&] { file.read<std::int32_t, 2>("i8"); }), "'i8': the array holds I64, expected I32"));
  CHECK(mentions(refusal([&] { file.read<double, 2>("i8"); }), "holds I64, expected F64, F32, F16 or BF16"));
  CHECK(mentions(refusal([&] { file.read<double, 2>("absent"); }), "there is no array 'absent'; there are 'b1', 'i1'"));
}

TEST_CASE("an array is written as NumPy writes it") {
  scratch const file;
  save_npy(file, tensor<float, 2>({2, 3}, {1, 2, 3, 4, 5, 6}));
  std::string const bytes = file.read();
  CHECK(bytes.substr(0, 10) == std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  CHECK(bytes.substr(10, 60) == "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } ");
  CHECK(bytes.size() == 128 + 24);
  CHECK(bytes[127] == '\n');
  CHECK(npy_file(std::string(file)).read<float, 2>()(1, 2) == 6);

  save_npy(file, tensor<std::uint8_t, 1>({3}, {1, 2, 255}));
  CHECK(mentions(file.read(), "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }"));
  save_npy(file, tensor<double, 0>({}, 0.1));
  CHECK(mentions(file.read(), "'shape': (), }"));
  CHECK(npy_file(std::string(file)).read<double, 0>()() == 0.1);
  tensor<double, 2> const x({2, 3});
  CHECK_THROWS_AS(save_npy(file, x.view().permute({{1, 0}})), argument_error);
}

TEST_CASE("headers of npy files") {
  std::string const data(16, '\0');
  CHECK(npy_refusal(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", data)).empty());
  CHECK(npy_refusal(npy("  {\"shape\":( 1 ,2,) ,\t'fortran_order':True,'descr':'<f8'}\n\n", data)).empty());
  CHECK(npy_refusal(npy("{'descr': '=f8', 'fortran_order': False, 'shape': (2L,)}", data)).empty());

  struct {
    char const *header, *says;
  } const bad[] = {
      {"", "expected {"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (2,)", "expected }"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (2,)} x", "expected the end of the header"},
      {"{'descr': '<f8', 'fortran_order': False}", "needs descr, fortran_order and shape"},
      {"{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", "expected every key once"},
      {"{'descr': '<f8', 'order': False, 'shape': (2,)}", "as a key"},
      {"{'descr': '<f8', 'fortran_order': 0, 'shape': (2,)}", "expected False"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (2)}", "no tuple"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (-2,)}", "expected a number"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}", "expected a smaller number"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
       "needs 18446744073709551615 bytes"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (3,)}", "needs 24 bytes, the file has 16"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", "needs 8 bytes, the file has 16"},
      {"{'descr': '<c8', 'fortran_order': False, 'shape': (2,)}", "the dtype '<c8' cannot be read"},
      {"{'descr': '<U4', 'fortran_order': False, 'shape': (1,)}", "the dtype '<U4' cannot be read"},
      {"{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", "the dtype '|O' cannot be read"},
      {"{'descr': '<', 'fortran_order': False, 'shape': (2,)}", "the dtype '<' cannot be read"},
      {"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2,)}", "a structured dtype"},
      {"{'descr': '<f8", "expected a closing quote"}};
  for (auto const& b : bad) {
    std::string const said = npy_refusal(npy(b.header, data));
    CAPTURE(said);
    CHECK(mentions(said, b.says));
    CHECK(mentions(said, "limbic_test_"));  // the file is named
  }
  std::string whole = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", data);
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK_FALSE(npy_refusal(whole.substr(0, size)).empty());
  whole[6] = 4;
  CHECK(mentions(npy_refusal(whole), "the format's version is 4.0"));
}

TEST_CASE("an archive is written and read") {
  scratch const file;
  tensor<float, 2> const x({2, 2}, {1, 2, 3, 4});
  tensor<std::int64_t, 1> const label({2}, {-1, 5});
  named_view const arrays[] = {{"x", x},
                               {"label", label},
                               {"grö\xC3\x9F"
                                "e",
                                x}};
  save_npz(file, arrays);
  std::string const bytes = file.read();
  save_npz(file, arrays);
  CHECK(file.read() == bytes);

  npz_file const back{std::string(file)};
  CHECK(back.names() == std::vector<std::string>{"x", "label",
                                                 "grö\xC3\x9F"
                                                 "e"});
  CHECK(back.read<float, 2>("x")(1, 0) == 3);
  CHECK(back.read<std::int64_t, 1>("label.npy")(0) == -1);

  named_view const twice[] = {{"x", x}, {"x", x}};
  CHECK_THROWS_AS(save_npz(file, twice), argument_error);
  CHECK(file.read() == bytes);
  save_npz(file, {});
  CHECK(bytes.size() > 22);
  CHECK(npz_file(std::string(file)).names().empty());
}

TEST_CASE("a damaged archive is refused") {
  CHECK(mentions(refusal([] { npz_file const f(LIMBIC_SOURCE_DIR "/tests/io/data/compressed.npz"); }),
                 "'x' is compressed (method 8): write it with numpy.savez instead of numpy.savez_compressed"));
  scratch const file;
  tensor<double, 1> const x({3}, {1, 2, 3});
  named_view const arrays[] = {{"x", x}, {"y", x}};
  save_npz(file, arrays);
  std::string const good = file.read();
  auto const refused = [&](std::string const& bytes) {
    file.write(bytes);
    return refusal([&] { npz_file const f{std::string(file)}; });
  };
  for (std::size_t size = 0; size < good.size(); ++size) CHECK_FALSE(refused(good.substr(0, size)).empty());
  CHECK(mentions(refused("short"), "no zip archive"));
  // Any bit within an array, or in what says where it lies.
  std::string bad = good;
  bad[good.find("NUMPY") + 130] ^= 1;
  CHECK(mentions(refused(bad), "'x' is damaged: its CRC-32"));
  std::size_t const directory = good.find("PK\x01\x02");
  for (int const field : {0, 8, 10, 16, 20, 24, 28, 42, 43, 46}) {
    bad = good;
    bad[directory + static_cast<std::size_t>(field)] ^= 1;
    CAPTURE(field);
    CHECK_FALSE(refused(bad).empty());
  }
  bad = good;
  for (std::size_t at = 0; (at = bad.find("y.npy", at)) != bad.npos;) bad[at] = 'x';
  CHECK(mentions(refused(bad), "two members are called 'x'"));
  // A comment behind the end is allowed.
  std::string const comment = "made by hand";
  bad = good + comment;
  bad[good.size() - 2] = static_cast<char>(comment.size());
  CHECK(refused(bad).empty());
}

TEST_CASE("the checksum of zip") {
  auto const sum = [](std::string_view s) { return crc32(std::as_bytes(std::span(s.data(), s.size()))); };
  CHECK(sum("") == 0);
  CHECK(sum("123456789") == 0xCBF43926U);
  std::string const longer = "The quick brown fox jumps over the lazy dog";
  CHECK(sum(longer) == 0x414FA339U);
  auto const bytes = std::as_bytes(std::span(longer));
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut)
    CHECK(crc32(bytes.subspan(cut), crc32(bytes.first(cut))) == 0x414FA339U);
}
