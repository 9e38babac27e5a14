// A file that only grows: whole pieces, one writer.
#include <limbic/io/append_file.hpp>

#include "catch.hpp"
#include "scratch.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

using namespace limbic;

namespace {

namespace fs = std::filesystem;

}  // namespace

TEST_CASE("pieces come one after the other, over several openings") {
  scratch const file;
  {
    append_file f("test", file.path.string());
    CHECK(f.contents().empty());
    f.append("one\n");
    f.append("");
    f.append("two\n");
    CHECK(file.read() == "one\ntwo\n");
    CHECK_THROWS_AS(append_file("test", file.path.string()), io_error);  // the first still writes
  }
  append_file f("test", file.path.string());
  CHECK(f.contents() == "one\ntwo\n");
  f.truncate(4);
  CHECK(f.contents() == "one\n");
  f.append("three\n");
  CHECK(file.read() == "one\nthree\n");
}

TEST_CASE("a file that cannot be opened, or is a folder") {
  CHECK_THROWS_AS(append_file("test", "/nonexistent/folder/file"), io_error);
  CHECK_THROWS_AS(append_file("test", fs::temp_directory_path().string()), io_error);
}
