// CSV files: what is read, and what each kind of mistake is told.
#include <limbic/io/csv.hpp>

#include "catch.hpp"
#include "scratch.hpp"

#include <cmath>
#include <filesystem>

using namespace limbic;

namespace {

csv_file read(std::string_view contents, csv_options const& options = {}) {
  return csv_file(scratch(contents), options);
}

// True when a call fails with a message that contains `part`.
template <class F> bool says(F const& f, std::string_view part) {
  try {
    f();
  } catch (io_error const& e) {
    if (std::string_view(e.what()).find(part) != std::string_view::npos) return true;
    UNSCOPED_INFO(e.what());
  }
  return false;
}

}  // namespace

TEST_CASE("a column is read by its name") {
  csv_file const table = read("\"Month\",\"Passengers\"\n\"1949-01\",112\n\"1949-02\", -1.5e2 \n1949-03,+7\n");
  CHECK(table.columns() == std::vector<std::string>{"Month", "Passengers"});
  REQUIRE(table.rows() == 3);
  CHECK(table.field(1, 0) == "1949-02");
  tensor<double, 1> const x = table.numbers<double>("Passengers");
  CHECK(x(0) == 112.0);
  CHECK(x(1) == -150.0);
  CHECK(x(2) == 7.0);
  CHECK(table.numbers<float, scalar>("Passengers")(0) == 112.0F);
}

TEST_CASE("quotes, line ends, byte order marks") {
  CHECK(read("\xEF\xBB\xBF"
             "a,b\r\n1,2\r\n")
            .numbers<double>("b")(0) == 2.0);
  CHECK(read("a,b\n1,2").rows() == 1);  // no line end at the end
  CHECK(read("a,b\n1,2\n\n\n").rows() == 1);
  CHECK(read("a,b\n").rows() == 0);
  CHECK(read("a;b\n1;2\n", {.separator = ';'}).numbers<double>("b")(0) == 2.0);
  CHECK(read("1,2\n3,4\n", {.header = false}).numbers<double>("1")(1) == 4.0);
  csv_file const table = read("a,b\n\"say \"\"x, y\"\"\nand go\",2\n,\"\"\n");
  CHECK(table.field(0, 0) == "say \"x, y\"\nand go");
  CHECK(table.field(1, 0).empty());
  CHECK(table.field(1, 1).empty());
}

TEST_CASE("mistakes name the line") {
  CHECK(says([] { csv_file("no/such/file.csv"); }, "no/such/file.csv: the file cannot be opened"));
  CHECK(says([] { csv_file(std::filesystem::temp_directory_path().string()); }, "cannot be read"));
  CHECK(says([] { read(""); }, "the file is empty"));
  CHECK(says([] { read("\n\n"); }, "the file is empty"));
  CHECK(says([] { read(std::string_view("a,b\n1,\0\n", 8)); }, "not text"));
  CHECK(says([] { read("a,b\n1,2\n3\n"); }, "line 3: 1 field, but there are 2 columns"));
  CHECK(says([] { read("a,b\n1,2\n\n3,4\n"); }, "line 3: 1 field"));
  CHECK(says([] { read("a,b\n1,2,3\n"); }, "line 2: 3 fields"));
  CHECK(says([] { read("a,b\n\"1\n2\",2\n3\n"); }, "line 4: 1 field"));
  CHECK(says([] { read("a,b\n1,\"2\n"); }, "line 2: a quoted field is not closed"));
  CHECK(says([] { read("a,b\n\"1\"x,2\n"); }, "line 2: after a closing quote"));
  CHECK(says([] { read("a,b\n1,2\n").numbers<double>("c"); }, "no column 'c'; there are 'a', 'b'"));
  CHECK_THROWS_AS(read("a,b\n1,2\n").field(1, 0), index_error);
}

TEST_CASE("what is not a finite number is refused, or becomes NaN") {
  auto const column = [](std::string_view contents, missing m = missing::refuse) {
    return read(contents).numbers<double>("a", m);
  };
  CHECK(says([&] { column("a\n1\n12x\n"); }, "line 3: column 'a': '12x' is not a number"));
  CHECK(says([&] { column("a\n1\n+\n"); }, "line 3: column 'a': '+' is not a number"));
  CHECK(says([&] { column("a\n1e999\n"); }, "line 2: column 'a': 1e999 does not fit"));
  CHECK(says([&] { column("a,b\n,2\n"); }, "line 2: column 'a' is empty"));
  CHECK(says([&] { column("a\n1\nnan\n"); }, "line 3: column 'a': nan is not a finite number"));
  CHECK(says([&] { column("a\n-inf\n"); }, "-inf is not a finite number"));
  CHECK(says([&] { column("a\nNA\n"); }, "NA is not a finite number"));
  tensor<double, 1> const x = column("a,b\n1,\nnan,\n,\nNA,\n", missing::nan);
  CHECK(x(0) == 1.0);
  for (int i = 1; i < 4; ++i) CHECK(std::isnan(x(i)));
  CHECK(says([&] { column("a\n12x\n", missing::nan); }, "not a number"));
}
