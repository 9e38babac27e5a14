// core/short_list.cpp - values made, moved and destroyed as often as they are made
#include "../catch.hpp"

#include <limbic/core/short_list.hpp>

#include <string>

using namespace limbic;

namespace {

int alive = 0;
struct counted {
  std::string text;
  counted(std::string t = "a string too long to lie in itself") : text(std::move(t)) { ++alive; }
  counted(counted const& o) : text(o.text) { ++alive; }
  counted(counted&& o) noexcept : text(std::move(o.text)) { ++alive; }
  counted& operator=(counted const&) = default;
  ~counted() { --alive; }
};

}  // namespace

TEST_CASE("short_list") {
  {
    short_list<counted, 3> a;
    CHECK(a.empty());
    a.emplace_back("one");
    a.emplace_back("two");
    short_list<counted, 3> b(a), c(std::move(a)), d(1);
    CHECK(b.size() == 2);
    CHECK((b.front().text == "one" && b[1].text == "two" && c.back().text == "two"));
    b.emplace_back();
    CHECK_THROWS_AS(b.emplace_back(), argument_error);
    d = b;
    CHECK((d.size() == 3 && d[2].text == b[2].text));
    d.pop_back();
    std::string all;
    for (auto const& v : d) all += v.text;
    CHECK(all == "onetwo");
    d = short_list<counted, 3>();
    CHECK(d.empty());
    CHECK(alive == 2 + 3 + 2);  // what was moved from has its values still
  }
  CHECK(alive == 0);
}
