// Readers of image data sets: what they read, what each mistake is told, and that no damaged file does worse than an error.
#include <limbic/core/random.hpp>
#include <limbic/io/read_images.hpp>

#include "catch.hpp"
#include "scratch.hpp"

#include <map>

using namespace limbic;

namespace {

using files = std::map<std::string, std::string>;  // what is in a folder

std::string bytes_of(std::initializer_list<int> values) {
  std::string s;
  for (int const v : values) s += static_cast<char>(static_cast<unsigned char>(v));
  return s;
}
std::string little(std::uint32_t n) {
  return bytes_of({static_cast<int>(n & 255U), static_cast<int>(n >> 8 & 255U), static_cast<int>(n >> 16 & 255U),
                   static_cast<int>(n >> 24)});
}

// Stands in for zlib: two or four bytes that say what it is, a count, and the bytes turned around.
std::string pack(std::string_view bytes, std::string_view mark = "\x1F\x8B") {
  return std::string(mark) + little(static_cast<std::uint32_t>(bytes.size())) +
         std::string(bytes.rbegin(), bytes.rend());
}
bool unpack(std::span<std::byte const> from, std::vector<std::byte>& to) {
  std::string_view const s(reinterpret_cast<char const*>(from.data()), from.size());
  if (s.size() < 6 || s.substr(2, 4) != little(static_cast<std::uint32_t>(s.size() - 6))) return false;
  to.assign(from.rbegin(), from.rend() - 6);
  return true;
}
// Stands in for libpng: width, height, channels, then the values.
bool decode(std::span<std::byte const> from, decoded_image& to) {
  if (from.size() < 3) return false;
  auto const number = [&](std::size_t i) { return std::to_integer<std::uint8_t>(from[i]); };
  to.width = number(0), to.height = number(1), to.channels = number(2);
  for (std::size_t i = 3; i < from.size(); ++i) to.pixels.push_back(number(i));
  return true;
}
constexpr codecs with{.inflate = unpack, .decode = decode};

image_data read(files const& all) {
  scratch_folder const folder;
  for (auto const& [name, bytes] : all) folder.write(name, bytes);
  return read_images(folder, with);
}
std::string told(files const& all) {
  return refusal([&] { read(all); });
}
files changed(files all, std::string const& name, std::string bytes) {
  all[name] = std::move(bytes);
  return all;
}
void check_told(files const& all, std::string_view part) {
  std::string const message = told(all);
  INFO(message);
  CHECK(mentions(message, part));
}

// Beginnings of every file, and files with a few wrong bits: an io_error, or data in which all labels are classes.
void damage(files const& all, std::uint64_t seed) {
  rng random{.seed = seed};
  scratch_folder const folder;
  for (auto const& [name, bytes] : all) folder.write(name, bytes);
  int refused = 0;
  auto const attempt = [&](std::string const& name, std::string const& damaged) {
    folder.write(name, damaged);
    try {
      image_data const d = read_images(folder, with);
      for (auto const* const part : {&d.train, &d.validation, &d.test}) {
        REQUIRE(part->images.extent(0) == part->labels.size());
        for (auto const label : part->labels)
          REQUIRE((label >= 0 && static_cast<std::size_t>(label) < d.classes.size()));
      }
    } catch (io_error const&) {
      ++refused;
    }
  };
  for (auto const& [name, bytes] : all) {
    std::size_t const step = bytes.size() / 600 + 1;  // 1 for all files but those of CIFAR-10
    for (std::size_t n = 0; n < bytes.size(); n += step) attempt(name, bytes.substr(0, n));
    for (int i = 0; i < 100; ++i) {
      std::string wrong = bytes;
      std::uint64_t const flips = 1 + random.below(4),
                          within = random.below(2) == 0 ? wrong.size() : wrong.size() / 8 + 1;
      for (std::uint64_t k = 0; k < flips; ++k) {
        auto& c = wrong[random.below(within)];
        c = static_cast<char>(c ^ static_cast<char>(1U << random.below(8)));
      }
      attempt(name, wrong);
    }
    folder.write(name, bytes);
  }
  CHECK(refused > 0);
}

files raf_db() {
  files all{{"EmoLabel/list_patition_label.txt", "test_0001.ppm 5\r\n"},
            {"Image/aligned/test_0001_aligned.ppm", "P6 1 1 255\nrgb"}};
  for (int i = 1; i < 8; ++i) {
    std::string const name = "train_" + std::to_string(i);
    all["EmoLabel/list_patition_label.txt"] += name + ".ppm " + std::to_string(8 - i) + "\n";
    all["Image/aligned/" + name + "_aligned.ppm"] = "P6 1 1 255\nrgb";
  }
  return all;
}

std::string const idx_images = bytes_of({0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2}) + "abcdefghijkl";
std::string const idx_labels = bytes_of({0, 0, 8, 1, 0, 0, 0, 3, 1, 0, 1});
files idx() {
  return {{"train-images-idx3-ubyte", idx_images},
          {"train-labels-idx1-ubyte", idx_labels},
          {"t10k-images-idx3-ubyte.gz", pack(idx_images)},
          {"t10k-labels-idx1-ubyte.gz", pack(idx_labels)}};
}

std::string cifar10_records(int first, int count) {
  std::string s;
  for (int r = first; r < first + count; ++r) {
    s += static_cast<char>(r % 10);
    for (int i = 0; i < 3072; ++i) s += static_cast<char>(static_cast<unsigned char>((r + i) % 251));
  }
  return s;
}
files cifar10() {
  return {{"data_batch_1.bin", cifar10_records(0, 6)},
          {"data_batch_2.bin", cifar10_records(6, 4)},
          {"test_batch.bin", cifar10_records(2, 1)}};
}

std::string const fer2013_table =
    "emotion,pixels,Usage\n0,1 2 3 4,Training\n1,5 6 7 8,Training\n2,0 0 0 255,Training\r\n"
    "3,1 1 1 1,Training\n4,1 1 1 1,Training\n5,1 1 1 1,Training\n6,1 1 1 1,Training\n"
    "3,9 9 9 9,PrivateTest\n2,8 8 8 8,PublicTest\n";

std::string mat_element(std::uint32_t type, std::string const& data) {
  return little(type) + little(static_cast<std::uint32_t>(data.size())) + data +
         std::string((8 - data.size() % 8) % 8, '\0');
}
std::string mat_array(std::string const& name, int kind, std::vector<std::uint32_t> const& extents,
                      std::string const& numbers, std::uint32_t type = 2) {
  std::string sizes;
  for (auto const n : extents) sizes += little(n);
  std::string const short_name =
      little(static_cast<std::uint32_t>(name.size() << 16 | 1U)) + name + std::string(4 - name.size(), '\0');
  return mat_element(14, mat_element(6, little(static_cast<std::uint32_t>(kind)) + little(0)) + mat_element(5, sizes) +
                             short_name + mat_element(type, numbers));
}
std::string mat_header() { return "MATLAB 5.0 MAT-file" + std::string(105, ' ') + bytes_of({0, 1, 'I', 'M'}); }
// Ten images of 3 rows and 2 columns with the labels 10, 1, ..., 9, as doubles that are stored as bytes.
files svhn(bool compressed) {
  std::string x, y;
  for (int i = 0; i < 180; ++i) x += static_cast<char>(static_cast<unsigned char>(i));
  for (int i = 0; i < 10; ++i) y += static_cast<char>(i == 0 ? 10 : i);
  std::string const arrays[] = {mat_array("X", 9, {3, 2, 3, 10}, x), mat_array("y", 6, {10, 1}, y)};
  std::string all = mat_header();
  for (auto const& a : arrays) {
    std::string const packed = pack(a, "\x78\x9C");
    all += compressed ? little(15) + little(static_cast<std::uint32_t>(packed.size())) + packed : a;
  }
  return {{"train_32x32.mat", all}, {"test_32x32.mat", all}};
}

files folder() {
  return {{"train/cat/b.pgm", "P2 2 1 15\n15 # white\n0"},
          {"train/cat/a.PNG", bytes_of({2, 1, 1, 7, 8})},
          {"train/cat/notes.txt", "no image"},
          {"train/dog/.hidden.png", "x"},
          {"train/dog/c.pgm", "P5\n2 1\n255\nxy"},
          {"test/dog/d.pgm", "P5 2 1 255\nzz"}};
}

}  // namespace

TEST_CASE("IDX: a data set, plain and packed") {
  image_data const d = read(idx());
  CHECK(d.classes == std::vector<std::string>{"0", "1"});
  CHECK((d.train.images.shape() == shape<4>{{3, 1, 2, 2}}));
  CHECK(d.train.images(1, 0, 1, 0) == 'g');
  CHECK(d.train.labels(0) == 1);
  CHECK(d.train.labels(1) == 0);
  CHECK((d.test.size() == 3 && d.test.images(2, 0, 1, 1) == 'l'));
  CHECK(d.validation.size() == 0);
  image_data const one = read({{"digits-images.idx3-ubyte", idx_images}, {"digits-labels.idx1-ubyte", idx_labels}});
  CHECK((one.train.size() == 3 && one.test.size() == 0));
  // Beside its packed form the plain file is read.
  CHECK(read(changed(idx(), "train-images-idx3-ubyte.gz", "broken")).train.size() == 3);
}

TEST_CASE("IDX: other types are big-endian") {
  scratch const file(bytes_of({0, 0, 11, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 255, 254}));
  idx_file const f(file);
  CHECK(f.type() == dtype::i16);
  auto const x = f.read<std::int16_t, 2>();
  CHECK((x(0, 0) == 258 && x(0, 1) == -2));
  CHECK(mentions(refusal([&] { f.read<std::uint8_t, 2>(); }), "holds I16, expected U8"));
  CHECK(mentions(refusal([&] { f.read<std::int16_t, 1>(); }), "expected rank 1"));
}

TEST_CASE("IDX: mistakes") {
  auto const with_images = [](std::string bytes) {
    return changed(idx(), "train-images-idx3-ubyte", std::move(bytes));
  };
  auto const with_labels = [](std::string bytes) {
    return changed(idx(), "train-labels-idx1-ubyte", std::move(bytes));
  };
  check_told(with_images("PK"), "train-images-idx3-ubyte: an IDX file begins with 4 bytes, the file has 2");
  check_told(with_images("PNG!"), "begins with the bytes 80 78, expected 0 0");
  check_told(with_images(bytes_of({0, 0, 7, 3})), "type of the elements is 7");
  check_told(with_images(bytes_of({0, 0, 8, 3, 0})), "a header of rank 3 takes 16 bytes, the file has 5");
  check_told(with_images(idx_images + "x"), "shape (3, 2, 2) of U8 needs 12 bytes after the header, the file has 13");
  check_told(with_images(idx_labels), "expected rank 3");
  check_told(with_images(bytes_of({0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 2})), "axis 0 has extent 0");
  check_told(with_labels(bytes_of({0, 0, 8, 1, 0, 0, 0, 2, 1, 0})), "2 labels for 3 images");
  check_told(with_labels(bytes_of({0, 0, 8, 1, 0, 0, 0, 3, 2, 0, 2})), "class 1 ('1') of 3 has no image to train on");
  check_told(changed(idx(), "t10k-labels-idx1-ubyte.gz", pack(bytes_of({0, 0, 8, 1, 0, 0, 0, 3, 1, 0, 2}))),
             "record 2 has the label 2, expected 0 to 1");
  check_told(changed(idx(), "t10k-images-idx3-ubyte.gz", pack(idx_images).substr(0, 20)),
             "t10k-images-idx3-ubyte.gz: the compressed data are damaged");
  check_told(changed(idx(), "t10k-images-idx3-ubyte.gz",
                     pack(bytes_of({0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 4}) + "abcdefghijkl")),
             "images of shape (3, 1, 1, 4) cannot be tested after training on (3, 1, 2, 2)");
  files twice = changed(idx(), "other-images-idx3-ubyte", idx_images);
  twice["other-labels-idx1-ubyte"] = idx_labels;
  check_told(twice, "'other-images-idx3-ubyte' and 'train-images-idx3-ubyte' are both to train on");
  check_told({{"train-images-idx3-ubyte", idx_images}}, "there is no 'train-labels-idx1-ubyte'");
  check_told({{"t10k-images-idx3-ubyte", idx_images}, {"t10k-labels-idx1-ubyte", idx_labels}}, "to train on");
  scratch_folder const packed;
  packed.write("a-images-idx3-ubyte.gz", pack(idx_images));
  packed.write("a-labels-idx1-ubyte.gz", pack(idx_labels));
  CHECK(mentions(refusal([&] { read_images(packed); }), "codecs has no inflate"));
}

TEST_CASE("CIFAR-10") {
  image_data const d = read(cifar10());
  CHECK(d.classes[9] == "truck");
  CHECK((d.train.images.shape() == shape<4>{{10, 3, 32, 32}}));
  CHECK(d.train.labels(7) == 7);
  CHECK(d.train.images(7, 2, 1, 3) == (7 + 2 * 1024 + 32 + 3) % 251);
  CHECK((d.test.size() == 1 && d.test.labels(0) == 2));
  check_told(changed(cifar10(), "data_batch_2.bin", cifar10_records(6, 4).substr(1)), "record 3 is incomplete");
  check_told(changed(cifar10(), "data_batch_2.bin", ""), "data_batch_2.bin: 0 bytes");
  check_told(changed(cifar10(), "data_batch_2.bin", cifar10_records(5, 4)), "class 9 ('truck') of 10 has no image");
  std::string wrong = cifar10_records(6, 4);
  wrong[3073] = 10;
  check_told(changed(cifar10(), "data_batch_2.bin", wrong),
             "data_batch_2.bin: record 1 has the label 10, expected 0 to 9");
  scratch_folder const empty;
  CHECK(mentions(refusal([&] { read_cifar10(empty); }), "no file data_batch_*.bin"));
}

TEST_CASE("FER-2013") {
  image_data const d = read({{"fer2013.csv", fer2013_table}});
  CHECK((d.train.size() == 7 && d.validation.size() == 1 && d.test.size() == 1));
  CHECK((d.train.images.shape() == shape<4>{{7, 1, 2, 2}}));
  CHECK(d.train.images(2, 0, 1, 1) == 255);
  CHECK((d.test.labels(0) == 3 && d.validation.images(0, 0, 0, 0) == 8));
  // Other orders and cases, quotes, and a column for each pixel.
  std::string quoted = "Usage,\"Pixels\", emotion\n", split = "emotion,pixel0,pixel1,pixel2,pixel3,id\n";
  for (int i = 0; i < 7; ++i) {
    quoted += "Training,\"1 2 3  4\"," + std::to_string(i) + "\n";
    split += std::to_string(i) + ",1,2,3,4,x\n";
  }
  for (auto const& table : {quoted, split}) {
    image_data const other = read({{"train.csv", table}});
    CHECK((other.train.size() == 7 && other.train.images(6, 0, 1, 1) == 4 && other.train.labels(6) == 6));
  }
  auto const with_line = [](std::string const& line) {
    return files{{"fer2013.csv", fer2013_table + line + "\n" + "0,1 2 3 4,Training\n"}};
  };
  check_told(with_line("7,1 2 3 4,Training"), "fer2013.csv, line 11: '7' is no emotion, expected 0 to 6");
  check_told(with_line("3x,1 2 3 4,Training"), "line 11: '3x' is no emotion");
  check_told(with_line("3 3,1 2 3 4,Training"), "line 11: the emotion is followed by");
  check_told(with_line("3,1 2 256 4,Training"), "'256' is no grey value, expected 0 to 255");
  check_told(with_line("3,1 2 3,Training"), "3 pixels, but there were 4 in the lines before");
  check_told(with_line("3,,Training"), "'' is no grey value");
  check_told(with_line("3,1 2 3 4,Test"), "the usage 'Test' is none of");
  check_told(with_line("3,1 2 3 4"), "2 fields, but there are 3 columns");
  check_told(with_line("3,1 2 3 4,Training,"), "more fields than the 3 columns");
  check_told(with_line(""), "line 11: '' is no emotion");
  check_told({{"fer2013.csv", "emotion,pixels\n0,1 2 3\n"}}, "line 2: 3 pixels are no square image");
  check_told({{"fer2013.csv", "emotion,Usage\n"}}, "line 1: the columns must be");
  check_told({{"fer2013.csv", "emotion,pixels\n0,1\n"}}, "class 1 ('disgust') of 7 has no image");
  check_told({{"fer2013.csv", "\n"}}, "the file is empty");
}

TEST_CASE("SVHN") {
  for (bool const compressed : {false, true}) {
    image_data const d = read(svhn(compressed));
    CHECK((d.train.images.shape() == shape<4>{{10, 3, 3, 2}}));
    CHECK((d.train.labels(0) == 0 && d.train.labels(9) == 9));
    // Stored is H, then W, then colour, then image: (n, c, h, w) lies at h + 3 w + 6 c + 18 n.
    CHECK(d.train.images(4, 2, 1, 1) == 1 + 3 + 12 + 72);
    CHECK(d.test.size() == 10);
  }
  std::string const x(18, 'x');
  auto const with_arrays = [&](std::string const& arrays) { return files{{"train_32x32.mat", mat_header() + arrays}}; };
  std::string const image = mat_array("X", 9, {3, 2, 3}, x);
  check_told(with_arrays(image), "there is no numeric array 'y'; there are 'X'");
  check_told(with_arrays(image + mat_array("y", 6, {1, 1}, "\x0B")), "record 0 has the label 11, expected 1 to 10");
  check_told(with_arrays(image + mat_array("y", 6, {2, 1}, "\x01\x02")), "2 labels for 1 images");
  check_told(with_arrays(mat_array("X", 9, {3, 6}, x)), "X has shape (3, 6) of U8, expected (H, W, 3, N) of U8");
  check_told(with_arrays(mat_array("X", 9, {3, 7}, x)), "'X' of shape (3, 7) needs 21 bytes of U8, the file has 18");
  check_told(with_arrays(image + image), "two arrays 'X'");
  check_told(with_arrays(image + "abc"), "ends within a tag: 3 bytes are left");
  check_told(with_arrays(image.substr(0, 60)), "has an element of");
  std::string const half("\x00\x00\x00\x3F", 4);  // 0.5 as a float
  check_told(with_arrays(image + mat_array("y", 7, {1, 1}, half, 7)), "'y': number 0 is 0.5, expected an integer");
  check_told({{"train_32x32.mat", "MATLAB 7.3 MAT-file"}}, "version 7.3 is HDF5");
  check_told({{"train_32x32.mat", std::string(128, ' ')}}, "no MAT file of version 5");
  check_told({{"train_32x32.mat", "MATLAB 5.0"}}, "begins with 128 bytes");
  std::string damaged = svhn(true)["train_32x32.mat"];
  damaged[140] = 99;
  check_told({{"train_32x32.mat", damaged}}, "are damaged, or end early");
}

TEST_CASE("MAT files: what is no plain array is left out") {
  std::string complex_number = mat_array("z", 6, {1, 1}, "\x01");
  complex_number[17] = 8;
  scratch const file(mat_header() + mat_array("c", 1, {1, 1}, "") + complex_number + mat_array("e", 6, {0, 0}, "") +
                     mat_element(1, "text") +
                     mat_array("m", 12, {2, 2}, little(1) + little(2) + little(3) + little(4), 5));
  mat_file const m(file);
  CHECK(m.names() == std::vector<std::string>{"m"});
  CHECK(m.read<std::int32_t, 2>("m")(0, 1) == 3);
  CHECK(m.integers("m")(1) == 2);
}

TEST_CASE("image folders") {
  image_data const d = read(folder());
  CHECK(d.classes == std::vector<std::string>{"cat", "dog"});
  CHECK((d.train.images.shape() == shape<4>{{3, 1, 1, 2}}));
  CHECK((d.train.labels(0) == 0 && d.train.labels(1) == 0 && d.train.labels(2) == 1));
  CHECK((d.train.images(0, 0, 0, 1) == 8 && d.train.images(1, 0, 0, 0) == 255 && d.train.images(2, 0, 0, 1) == 'y'));
  CHECK(mentions(d.train.files[2], "train/dog/c.pgm"));
  CHECK((d.test.size() == 1 && d.test.labels(0) == 1));
  // Colours lie apart; without train/ all is trained on.
  image_data const colour = read({{"a/1.ppm", "P6 2 1 255\nrgbRGB"}, {"b/1.ppm", "P3 2 1 255 1 2 3 4 5 6"}});
  CHECK((colour.train.images.shape() == shape<4>{{2, 3, 1, 2}}));
  CHECK((colour.train.images(0, 1, 0, 1) == 'G' && colour.train.images(1, 2, 0, 0) == 3));

  check_told(changed(folder(), "train/fox/notes.txt", ""), "fox: there is no image of this class");
  check_told(changed(folder(), "test/fox/a.pgm", "P5 2 1 255\nzz"), "the class 'fox' was not trained on");
  check_told(changed(folder(), "train/dog/d.pgm", "P5 1 2 255\nxy"),
             "d.pgm: 1 x 2 x 1, but the images before have 2 x 1");
  check_told(changed(folder(), "train/dog/d.ppm", "P6 2 1 255\nxyzxyz"), "2 x 1 x 3, but the images before");
  check_told(changed(folder(), "train/cat/a.PNG", ""), "a.PNG: the image is damaged");
  check_told(changed(folder(), "train/cat/a.PNG", bytes_of({2, 1, 1, 7})), "the decoder gave 1 values");
  check_told({{"notes.txt", ""}, {"x.pgm", ""}}, "2 files, notes.txt first, and no folder");
  scratch_folder const coded;
  coded.write("a/x.jpg", "x");
  CHECK(mentions(refusal([&] { read_images(coded); }), "x.jpg: the image is compressed, and codecs has no decode"));
  CHECK(mentions(refusal([&] { read_images("no/such/folder"); }), "no/such/folder: the folder cannot be read"));
}

TEST_CASE("RAF-DB") {
  image_data const d = read(raf_db());
  CHECK((d.train.size() == 7 && d.test.size() == 1 && d.classes[5] == "anger"));
  CHECK((d.train.images.shape() == shape<4>{{7, 3, 1, 1}}));
  CHECK((d.train.labels(0) == 6 && d.train.labels(6) == 0 && d.test.labels(0) == 4));
  CHECK((d.train.images(2, 1, 0, 0) == 'g' && mentions(d.test.files[0], "Image/aligned/test_0001_aligned.ppm")));
  auto const with_line = [](std::string const& line) {
    files all = raf_db();
    all["EmoLabel/list_patition_label.txt"] += line;
    return all;
  };
  for (char const* const line :
       {"train_3.ppm 8", "train_3.ppm", "train_3 1", "train_3.ppm 12", "valid_3.ppm 1", " 1", "x"})
    check_told(with_line(line), "list_patition_label.txt, line 9: '");
  check_told(with_line("train_8.ppm 1"), "train_8_aligned.ppm: the file cannot be opened");
  check_told(changed(raf_db(), "EmoLabel/list_patition_label.txt", "test_0001.ppm 1\n"),
             "class 0 ('surprise') of 7 has no");
}

TEST_CASE("PGM and PPM: mistakes") {
  auto const says = [](std::string_view image, std::string_view part) {
    std::string const message =
        refusal([&] { decode_netpbm("x.pgm", std::as_bytes(std::span(image.data(), image.size()))); });
    INFO(message);
    CHECK(mentions(message, part));
  };
  says("P4 1 1 x", "no PGM or PPM image");
  says("P5 0 1 255 x", "no width from 1");
  says("P51 1 255 x", "no width");
  says("P5 1 1 65535 xx", "no largest value from 1 to 255");
  says("P5 1 1 255", "one blank must come");
  says("P5 1 1 255\n", "needs 1 bytes after the header, the file has 0");
  says("P5 1 1 255\nxy", "the file has 2");
  says("P5 1 1 3\nx", "value 0 is 120, the largest is 3");
  says("P2 2 1 3 1 4", "no value from 0 to 3");
  says("P2 1 1 3 1 1", "after the image come 1 bytes");
  says("P5 16000000 16000000 255\n", "needs 256000000000000 bytes");
}

TEST_CASE("formats are known by the names of files") {
  auto const format = [](files const& all) {
    scratch_folder const f;
    for (auto const& [name, bytes] : all) f.write(name, bytes);
    return find_image_format(f);
  };
  CHECK(format(idx()) == image_format::idx);
  CHECK(format(cifar10()) == image_format::cifar10);
  CHECK(format(svhn(true)) == image_format::svhn);
  CHECK(format({{"fer2013.csv", ""}}) == image_format::fer2013);
  CHECK(format(raf_db()) == image_format::raf_db);
  CHECK(format(folder()) == image_format::folder);
  CHECK(find_image_format("faces.csv") == image_format::fer2013);
}

TEST_CASE("damaged files are refused, or hold labels in range") {
  damage(idx(), 1);
  damage({{"data_batch_1.bin", cifar10_records(0, 10)}}, 2);
  damage({{"fer2013.csv", fer2013_table}}, 3);
  damage(svhn(false), 4);
  damage(svhn(true), 5);
  damage(folder(), 6);
  damage(raf_db(), 7);
}
