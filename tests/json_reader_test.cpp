// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/detail/json_reader.hpp>

#include "catch.hpp"
#include "ways.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

using namespace anthropic::webhooks::detail;
using namespace std::literals;

namespace {

struct reading {
  bool good;
  json_type type;
  std::size_t failed_at;
};

/// Reads a text that should be a single value.
reading read(std::string_view text) {
  json_reader reader(text);
  json_type type{};
  const char* at = reader.skip_value(reader.skip_space(reader.skip_byte_order_mark()), type);
  at = reader.skip_space(at);
  if (at != reader.end()) reader.fail(at);
  return {!reader.failed(), type, reader.failed() ? reader.failed_at() : 0};
}

std::string unescaped(std::string_view text) {
  std::string result;
  append_unescaped(text, result);
  return result;
}

}  // namespace

TEST_CASE("JSON is accepted or rejected, and its type determined, as nlohmann does", "[agree]") {
  // Like JSONTestSuite: what parsers are known to get wrong.
  for (const auto& text : {
           "[]"s,
           "[ ]"s,
           "{}"s,
           "{ }"s,
           "[1]"s,
           "[1,2]"s,
           "[[]]"s,
           "[[],[]]"s,
           "[{}]"s,
           R"({"a":{}})"s,
           R"({"a":[]})"s,
           R"({"a":1,"a":2})"s,
           R"({"":0})"s,
           R"({"\u0000":0})"s,
           "[null,true,false]"s,
           "0"s,
           "-0"s,
           "-1"s,
           "1e1"s,
           "1E+1"s,
           "1e-1"s,
           "-0.0e-0"s,
           "0.1"s,
           "1.5E3"s,
           "123456789012345678901234567890"s,
           "\"\""s,
           "\"\x7f\""s,
           R"("\"\\\/\b\f\n\r\t")"s,
           R"("\u0041\uD83D\uDE00\uFFFF\udbff\udfff")"s,
           "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""s,
           "\"\xf4\x8f\xbf\xbf\xee\x80\x80\xef\xbf\xbf\xed\x9f\xbf\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80\""s,
           " \t\r\n1 \t\r\n"s,
           "\xef\xbb\xbf[]"s,
           ""s,
           " "s,
           "\xef"s,
           "\xef\xbb"s,
           "\xef\xbb\xbf"s,
           "\xef\xbb\xbf\xef\xbb\xbf[]"s,
           "["s,
           "]"s,
           "[1"s,
           "[1,"s,
           "[1,]"s,
           "[,1]"s,
           "[1,,2]"s,
           "[1 2]"s,
           "[1;2]"s,
           "[1}"s,
           "{"s,
           "}"s,
           "{]"s,
           "[}"s,
           "{,}"s,
           R"({"a")"s,
           R"({"a":)"s,
           R"({"a":})"s,
           R"({"a":1)"s,
           R"({"a":1,)"s,
           R"({"a":1,})"s,
           R"({"a" 1})"s,
           R"({"a",1})"s,
           R"({"a"::1})"s,
           R"({a:1})"s,
           R"({'a':1})"s,
           R"({1:1})"s,
           R"({null:1})"s,
           R"({"a":1 "b":2})"s,
           R"({"a":1,,"b":2})"s,
           R"({"a":"b":"c"})"s,
           R"(["a":1])"s,
           "[[[]"s,
           "[]]"s,
           "{}}"s,
           "[][]"s,
           "{}{}"s,
           "1 2"s,
           "nul"s,
           "nulL"s,
           "nulll"s,
           "tru"s,
           "truee"s,
           "fals"s,
           "True"s,
           "NaN"s,
           "Infinity"s,
           "-Infinity"s,
           "-"s,
           "+1"s,
           "--1"s,
           "-a"s,
           "01"s,
           "-01"s,
           "00"s,
           "1."s,
           ".5"s,
           "-.5"s,
           "1.e1"s,
           "1e"s,
           "1e+"s,
           "1e+-1"s,
           "1.5.5"s,
           "0x1"s,
           "1_000"s,
           "1a"s,
           "0e"s,
           "\"a"s,
           "a\""s,
           "\"\x1f\""s,
           "\"\n\""s,
           "\"\0\""s,
           "\"\\"s,
           "\"\\\""s,
           R"("\a")"s,
           R"("\x41")"s,
           R"("\U0041")"s,
           R"("\u")"s,
           R"("\u1")"s,
           R"("\u12")"s,
           R"("\u123")"s,
           R"("\u123g")"s,
           R"("\u 123")"s,
           R"("\u00e)"s,
           R"("\ud800")"s,
           R"("\ud800x")"s,
           R"("\ud800\n")"s,
           R"("\ud800\u0041")"s,
           R"("\ud800\ud800")"s,
           R"("\ud800\)"s,
           R"("\ud800\u)"s,
           R"("\udc00")"s,
           R"("\udc00\ud800")"s,
           "\"\x80\""s,
           "\"\xbf\""s,
           "\"\xc0\x80\""s,
           "\"\xc1\xbf\""s,
           "\"\xc2\""s,
           "\"\xc2\x7f\""s,
           "\"\xc2\xc0\""s,
           "\"\xe0\x9f\xbf\""s,
           "\"\xe2\x82\""s,
           "\"\xe2\x28\xa1\""s,
           "\"\xed\xa0\x80\""s,
           "\"\xf0\x8f\xbf\xbf\""s,
           "\"\xf0\x9f\x98\""s,
           "\"\xf4\x90\x80\x80\""s,
           "\"\xf5\x80\x80\x80\""s,
           "\"\xff\""s,
           "\"\xc3"s,
           "/**/1"s,
           "1//"s,
           "[1]#"s,
           "\x0c[]"s,
           "\xc2\xa0[]"s,
           "\xe2\x80\xa8[]"s,
           "<a>"s,
           "'a'"s,
           "\0"s,
           "[]\0"s,
       }) {
    INFO(text);
    const auto ours = read(text);
    const bool nul = text.find('\0') != text.npos;  // nlohmann takes it for the end
    const auto pairs = ways::without_lone_surrogates(text);
    CHECK(ours.good == (!nul && nlohmann::json::accept(pairs)));
    if (ours.good) {
      CHECK(name_of(ours.type) == std::string_view(nlohmann::json::parse(pairs).type_name()));
    } else {
      CHECK(ways::is_right_position(pairs, "at byte " + std::to_string(ours.failed_at)));
    }
  }
}

TEST_CASE("containers may nest as deeply as memory allows, and their brackets must match", "[agree]") {
  for (const std::size_t depth : {1U, 2U, 63U, 64U, 65U, 127U, 128U, 129U, 1000U, 1'000'000U}) {
    std::string begin, end;
    for (std::size_t i = 0; i < depth; ++i) {
      const bool object = i % 3 == 0 || i % 7 == 0;
      begin += object ? "{\"k\":" : "[";
      end += object ? '}' : ']';
    }
    end.assign(end.rbegin(), end.rend());
    const auto text = begin + "1" + end;
    CHECK(read(text).good);
    CHECK_FALSE(read(begin + "1" + end + "]").good);
    for (std::size_t i : {std::size_t{0}, depth / 2, depth - 1}) {
      auto wrong = text;
      char& c = wrong[begin.size() + 1 + i];
      c = c == ']' ? '}' : ']';
      CHECK(read(wrong).failed_at == begin.size() + 1 + i);
    }
    CHECK(read(begin).failed_at == begin.size());
  }
}

TEST_CASE("escapes are decoded as nlohmann does", "[agree]") {
  for (const auto text :
       {R"(a)", R"()", R"(\"\\\/\b\f\n\r\t)", R"(a\nb\u0041c)", R"(\u0000\u007f\u0080\u07ff\u0800\uffff)",
        R"(\ud7ff\ue000\ud800\udc00\uDBFF\uDFFF\uabCD)", "\xc3\xa9\\n\xf0\x9f\x98\x80"}) {
    CHECK(unescaped(text) == nlohmann::json::parse("\"" + std::string(text) + "\"").get<std::string>());
  }
  for (unsigned unit = 0; unit < 0x10000; ++unit) {
    char text[8];
    std::snprintf(text, sizeof text, "\\u%04x", unit);
    if (unit >= 0xD800 && unit < 0xE000) {
      if (unescaped(text) != "\xef\xbf\xbd") FAIL(text);
    } else if (unescaped(text) != nlohmann::json::parse("\"" + std::string(text) + "\"").get<std::string>())
      FAIL(text);
  }
}

TEST_CASE("skip_string() tells whether there are escapes") {
  for (const std::string_view text : {"\"", "abc\"", "\xc3\xa9 and more than eight bytes\"", "\\n\"",
                                      "12345678\\u00e9\"", "\xc3\xa9\\\"\"", "\\\\\xe2\x82\xac\""}) {
    json_reader reader(text);
    bool has_escapes = text[0] != '\\';
    CHECK(reader.skip_string(reader.skip_byte_order_mark(), has_escapes) == reader.end());
    CHECK(has_escapes == (text.find('\\') != text.npos));
  }
}

TEST_CASE("a byte is plain or not regardless of its position") {
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t size = 0; size < 40; ++size) {
      for (std::size_t at = 0; at < size; ++at) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(byte);
        const bool plain = byte >= ' ' && byte < 0x80 && byte != '"' && byte != '\\';
        const auto found = static_cast<std::size_t>(skip_plain(text.data(), text.data() + size) - text.data());
        if (found != (plain ? size : at)) FAIL(byte << " at " << at << " of " << size);
      }
    }
  }
}

TEST_CASE("the first of several bytes that are not plain is found") {
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      const char text[] = {static_cast<char>(first), static_cast<char>(second), 'x', 'x', 'x', 'x', 'x', 'x'};
      const char* expected = text;
      while (expected != text + 8 && *expected != '"' && *expected != '\\' &&
             static_cast<unsigned char>(*expected) < 0x80 && static_cast<unsigned char>(*expected) >= ' ') {
        ++expected;
      }
      if (skip_plain(text, text + 8) != expected) FAIL(first << " and " << second);
    }
  }
}

TEST_CASE("after a failure, every position is the end") {
  json_reader reader("[1]");
  const char* const start = reader.skip_byte_order_mark();
  CHECK_FALSE(reader.failed());
  CHECK(reader.skip("{", start) == reader.end());
  CHECK(reader.failed());
  json_type type{};
  CHECK(reader.skip_value(reader.end(), type) == reader.end());
  bool has_escapes = false;
  CHECK(reader.skip_string(reader.end(), has_escapes) == reader.end());
  CHECK(reader.failed_at() == 0);
}
