// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/detail/diagnose/json_variants.hpp>

#include "catch.hpp"

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using anthropic::webhooks::detail::json_variants;
using namespace std::literals;

namespace {

constexpr std::size_t unlimited = std::size_t{1} << 30;

std::set<std::string> variants_of(std::string_view text) {
  json_variants variants(text);
  REQUIRE(variants.is_json());
  std::set<std::string> all;
  for (std::size_t i = 0; i < variants.count(); ++i) {
    std::string variant;
    REQUIRE(variants.write(i, unlimited, variant));
    all.insert(variant);
  }
  return all;
}

}  // namespace

TEST_CASE("a text is written in each layout, each set of escapes and each key order") {
  using texts = std::set<std::string>;
  CHECK(variants_of("1e5") == texts{"1e5"});
  CHECK(variants_of("[ ]\n") == texts{"[]\n"});
  CHECK(variants_of(" [1 ,2.50]") ==
        texts{"[1,2.50]", "[1, 2.50]", "[\n  1,\n  2.50\n]", "[\n    1,\n    2.50\n]"});
  CHECK(variants_of("{\"a\":{ }}") ==
        texts{"{\"a\":{}}", "{\"a\": {}}", "{\n  \"a\": {}\n}", "{\n    \"a\": {}\n}"});
  CHECK(variants_of("\"\\u002F\"") == texts{"\"\\u002F\"", "\"/\"", "\"\\/\""});
  CHECK(variants_of("\"<&>\"") == texts{"\"<&>\"", "\"\\u003c\\u0026\\u003e\""});
  CHECK(variants_of("\"\\u2028\\u2029\"") == texts{"\"\\u2028\\u2029\"", "\"\xe2\x80\xa8\xe2\x80\xa9\""});
  CHECK(variants_of("\"\xe0\xa0\x80\"") == texts{"\"\xe0\xa0\x80\"", "\"\\u0800\""});
  CHECK(variants_of("\"\xc2\x80\"") == texts{"\"\xc2\x80\"", "\"\\u0080\""});
  CHECK(variants_of("\"\xc3\xbf\"") == texts{"\"\xc3\xbf\"", "\"\\u00ff\"", "\"\\u00FF\""});
  CHECK(variants_of("\"\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"") ==
        texts{"\"\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"", "\"\\uffff\\ud800\\udc00\\udbff\\udfff\"",
              "\"\\uFFFF\\uD800\\uDC00\\uDBFF\\uDFFF\""});
  CHECK(variants_of("\"\\uD83D\\uDe00\\u0000\\u001F\\u007f\\b\\f\\n\\r\\t\\\"\\\\\"") ==
        texts{"\"\\uD83D\\uDe00\\u0000\\u001F\\u007f\\b\\f\\n\\r\\t\\\"\\\\\"",
              "\"\xf0\x9f\x98\x80\\u0000\\u001f\x7f\\b\\f\\n\\r\\t\\\"\\\\\"",
              "\"\\ud83d\\ude00\\u0000\\u001f\x7f\\b\\f\\n\\r\\t\\\"\\\\\"",
              "\"\\uD83D\\uDE00\\u0000\\u001F\x7f\\b\\f\\n\\r\\t\\\"\\\\\""});

  const auto orders = variants_of(R"({"type":1,"b":[{"id":2,"a":3}],"id":4,"a":5})");
  CHECK(orders.size() == 16);
  for (const auto text :
       {R"({"type":1,"b":[{"id":2,"a":3}],"id":4,"a":5})", R"({"a":5,"b":[{"a":3,"id":2}],"id":4,"type":1})",
        R"({"id":4,"a":5,"b":[{"id":2,"a":3}],"type":1})", R"({"type":1,"id":4,"a":5,"b":[{"id":2,"a":3}]})"}) {
    CHECK(orders.count(text) == 1);
  }
  // Members of the same key stay in order.
  CHECK(variants_of(R"({"b":1,"a":2,"b":3,"a":4})").count(R"({"a":2,"a":4,"b":1,"b":3})") == 1);
}

TEST_CASE("what nests too deep stays as it is") {
  const std::string inner = "[ {\"b\" : 1,\"a\":[ ] } ]";
  const auto nested = [](const std::string& text, std::size_t levels) {
    return std::string(levels, '[') + text + std::string(levels, ']');
  };
  CHECK(variants_of(nested(inner, 64)).count(nested(inner, 64)) == 1);
  CHECK(variants_of(nested(inner, 64)).size() == 3);  // one line, and two indents
  CHECK(variants_of(nested(inner, 60)).count(nested("[{\"a\":[],\"b\":1}]", 60)) == 1);
  CHECK(variants_of(nested("", 100'000)).count(nested("", 100'000)) == 1);
}

TEST_CASE("what is not JSON has no variants") {
  for (const auto text : {"", " ", "{", "[1,]", "{\"a\"}", "\"\xff\"", "1 2", "\"\\ud800\"", "\0"}) {
    INFO(text);
    CHECK_FALSE(json_variants(text).is_json());
  }
  CHECK_FALSE(json_variants(std::string_view()).is_json());
}

TEST_CASE("no variant is longer than it may be") {
  const std::string text = "{\"/\":[1,\"\xc3\xa9\\u0000\",{}],\"a\":[[]]}\r\n";
  std::vector<std::string> all;
  json_variants variants(text);
  for (std::size_t i = 0; i < variants.count(); ++i) {
    REQUIRE(variants.write(i, unlimited, all.emplace_back()));
  }
  for (std::size_t most = 0; most < 100; ++most) {
    json_variants limited(text);
    for (std::size_t i = 0; i < all.size(); ++i) {
      std::string variant;
      const bool fits = limited.write(i, most, variant);
      REQUIRE(fits == (all[i].size() <= most));
      REQUIRE(variant.size() <= most);
      REQUIRE(variant == (fits ? all[i] : all[i].substr(0, variant.size())));
    }
  }
}
