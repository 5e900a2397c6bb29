// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/detail/diagnose/json_variants.hpp>

#include "catch.hpp"

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

using anthropic::webhooks::detail::json_variants;
using anthropic::webhooks::detail::work_budget;
using namespace std::literals;

namespace {

std::set<std::string> variants_of(const std::string& text, std::size_t max_size = 1'000'000) {
  std::set<std::string> all;
  work_budget budget;
  json_variants(text).write_each(max_size, budget, [&](const std::string& variant) {
    CHECK(variant != text);
    CHECK(all.insert(variant).second);
  });
  return all;
}

}  // namespace

TEST_CASE("a text is written in each layout, each set of escapes and each key order") {
  using texts = std::set<std::string>;
  CHECK(variants_of("1e5").empty());
  CHECK(variants_of("[ ]\n") == texts{"[]\n"});
  CHECK(variants_of(" [1 ,2.50]") ==
        texts{"[1,2.50]", "[1, 2.50]", "[\n  1,\n  2.50\n]", "[\n    1,\n    2.50\n]"});
  CHECK(variants_of("{\"a\":{ }}") ==
        texts{"{\"a\":{}}", "{\"a\": {}}", "{\n  \"a\": {}\n}", "{\n    \"a\": {}\n}"});
  CHECK(variants_of("\"\\u002F\"") == texts{"\"/\"", "\"\\/\""});
  CHECK(variants_of("\"<&>\"") == texts{"\"\\u003c\\u0026\\u003e\""});
  CHECK(variants_of("\"\\u2028\\u2029\"") == texts{"\"\xe2\x80\xa8\xe2\x80\xa9\""});
  CHECK(variants_of("\"\xe0\xa0\x80\"") == texts{"\"\\u0800\""});
  CHECK(variants_of("\"\xc2\x80\"") == texts{"\"\\u0080\""});
  CHECK(variants_of("\"\xc3\xbf\"") == texts{"\"\\u00ff\"", "\"\\u00FF\""});
  CHECK(variants_of("\"\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"") ==
        texts{"\"\\uffff\\ud800\\udc00\\udbff\\udfff\"", "\"\\uFFFF\\uD800\\uDC00\\uDBFF\\uDFFF\""});
  CHECK(variants_of("\"\\uD83D\\uDe00\\u0000\\u001F\\u007f\\b\\f\\n\\r\\t\\\"\\\\\"") ==
        texts{"\"\xf0\x9f\x98\x80\\u0000\\u001f\x7f\\b\\f\\n\\r\\t\\\"\\\\\"",
              "\"\\ud83d\\ude00\\u0000\\u001f\x7f\\b\\f\\n\\r\\t\\\"\\\\\"",
              "\"\\uD83D\\uDE00\\u0000\\u001F\x7f\\b\\f\\n\\r\\t\\\"\\\\\""});

  const auto orders = variants_of(R"({"type": 1,"b":[{"id":2,"a":3}],"id":4,"a":5})");
  CHECK(orders.size() == 16);
  for (const auto text :
       {R"({"type":1,"b":[{"id":2,"a":3}],"id":4,"a":5})", R"({"a":5,"b":[{"a":3,"id":2}],"id":4,"type":1})",
        R"({"id":4,"a":5,"b":[{"id":2,"a":3}],"type":1})", R"({"type":1,"id":4,"a":5,"b":[{"id":2,"a":3}]})"}) {
    CHECK(orders.count(text) == 1);
  }
  // Duplicate keys keep their order.
  CHECK(variants_of(R"({"b":1,"a":2,"b":3,"a":4})").count(R"({"a":2,"a":4,"b":1,"b":3})") == 1);
}

TEST_CASE("a value that nests too deeply stays unchanged") {
  const std::string inner = "[ {\"b\" : 1,\"a\":[ ] } ]";
  const auto nested = [](const std::string& text, std::size_t levels) {
    return std::string(levels, '[') + text + std::string(levels, ']');
  };
  const auto with_indents = variants_of(nested(inner, 64));
  CHECK(with_indents.size() == 2);
  for (const auto& variant : with_indents) CHECK(variant.find(inner) != std::string::npos);
  CHECK(variants_of(nested(inner, 60)).count(nested("[{\"a\":[],\"b\":1}]", 60)) == 1);
  CHECK(variants_of(nested("", 100'000)).size() == 2);
}

TEST_CASE("text that is not JSON has no variants") {
  for (const auto& text : {""s, " "s, "{"s, "[1, ]"s, "{\"a\" }"s, "[ \"\xff\"]"s, "[1 2]"s, "\0"s}) {
    INFO(text);
    CHECK(variants_of(text).empty());
  }
}

TEST_CASE("no variant exceeds the limit") {
  const std::string text = "{\"/\":[1,\"\xc3\xa9\\u0000\",{}],\"a\":[[]]}\r\n";
  const auto all = variants_of(text);
  REQUIRE(all.size() == 19);
  for (std::size_t max_size = 0; max_size < 100; ++max_size) {
    std::set<std::string> expected;
    for (const auto& variant : all) {
      if (variant.size() <= max_size) expected.insert(variant);
    }
    CHECK(variants_of(text, max_size) == expected);
  }
}

TEST_CASE("the variants stop when the budget is spent") {
  const std::string text = "[1,\"/\"]";
  work_budget budget;
  REQUIRE(budget.spend(work_budget::limit - 500));
  std::size_t written = 0;
  json_variants(text).write_each(100, budget, [&](const std::string& variant) { written += variant.size(); });
  CHECK(written > 0);
  CHECK(written <= 500);
  CHECK(budget.is_exceeded());
  json_variants(text).write_each(100, budget, [](const std::string& variant) { FAIL(variant); });
}
