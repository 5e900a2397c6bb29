// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/headers.hpp>

#include "allocations.hpp"
#include "catch.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <istream>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#if __has_include(<httplib.h>)
#include <httplib.h>
#endif
#if __has_include(<ranges>) && __cplusplus >= 202002L
#include <ranges>
#endif

using namespace anthropic::webhooks;
using namespace std::literals;

namespace {

// Too long for a small-string buffer, so that a sanitizer sees dangling views.
const std::string id = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
const std::string timestamp = "1773568800, and much more text";
const std::string signature = "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=";

using pairs = std::vector<std::pair<std::string, std::string>>;
const pairs all{{"Host", "x"},
                {"Webhook-Id", id},
                {"Webhook-Timestamp", timestamp},
                {"Webhook-Signature", signature},
                {"", ""}};

void check_is(const WebhookHeaders& headers, std::string_view the_id = id,
              std::string_view the_timestamp = timestamp, std::string_view the_signature = signature) {
  CHECK(headers.id == the_id);
  CHECK(headers.timestamp == the_timestamp);
  CHECK(headers.signature == the_signature);
}

/// The same for headers in any form, as the library receives them.
template <class Headers>
void check_is_received(Headers&& headers, std::string_view the_id = id, std::string_view the_timestamp = timestamp,
                       std::string_view the_signature = signature) {
  detail::with_headers(headers, [&](const detail::header_views& received) {
    CHECK(received.id == the_id);
    CHECK(received.timestamp == the_timestamp);
    CHECK(received.signature == the_signature);
  });
}

struct failure {
  WebhookErrc code = WebhookErrc::none;
  std::string what;
};

bool operator==(const failure& a, const failure& b) { return a.code == b.code && a.what == b.what; }

std::ostream& operator<<(std::ostream& out, const failure& failure) {
  return out << static_cast<int>(failure.code) << ' ' << failure.what;
}

template <class Range>
failure failure_of(const Range& range) {
  try {
    static_cast<void>(webhook_headers(range));
    return {};
  } catch (const WebhookVerificationError& e) {
    CHECK(e.path().empty());
    CHECK(e.http_status() == 401);
    return {e.code(), e.what()};
  }
}

}  // namespace

// Ranges.

TEST_CASE("headers are found in any range of pairs, and outlive it") {
  const auto check = [](auto range) {
    check_is(webhook_headers(range));
    check_is(webhook_headers(std::as_const(range)));
    const auto headers = webhook_headers(std::move(range));
    range = {};
    check_is(headers);
  };
  check(all);
  check(std::list<std::pair<std::string, std::string>>(all.begin(), all.end()));
  check(std::map<std::string, std::string>(all.begin(), all.end()));
  check(std::multimap<std::string, std::string>(all.begin(), all.end()));
  check(std::unordered_map<std::string, std::string>(all.begin(), all.end()));
  check(std::unordered_multimap<std::string, std::string>(all.begin(), all.end()));
  check(std::map<std::string, std::string, std::greater<>>(all.begin(), all.end()));
  check(std::vector<std::pair<std::string_view, std::string_view>>(all.begin(), all.end()));
  check(std::array<std::pair<const char*, const char*>, 3>{{{"Webhook-Signature", signature.c_str()},
                                                            {"Webhook-Timestamp", timestamp.c_str()},
                                                            {"Webhook-Id", id.c_str()}}});
  struct header {
    std::string name, value;
  };
  std::vector<header> structs;
  for (const auto& [name, value] : all) structs.push_back({name, value});
  check(structs);
#if __has_include(<httplib.h>)
  check(httplib::Headers(all.begin(), all.end()));
#endif

  const std::pair<const char*, std::string> array[] = {
      {nullptr, "x"}, {"webhook-timestamp", timestamp}, {"webhook-id", id}, {"webhook-signature", signature}};
  check_is(webhook_headers(array));
}

namespace {

/// Like Qt's QByteArray: has a signed size, and converts to `const char*` too.
class byte_array {
 public:
  byte_array(std::string_view text) : text_(std::make_unique<std::string>(text)) {}
  byte_array(const byte_array& other) : byte_array(*other.text_) {}
  [[nodiscard]] const char* data() const { return text_->data(); }
  [[nodiscard]] std::ptrdiff_t size() const { return static_cast<std::ptrdiff_t>(text_->size()); }
  operator const char*() const { return "not this"; }

 private:
  std::unique_ptr<std::string> text_;
};

/// A pair that makes its parts on demand.
struct made_pair {
  std::size_t index;
  template <std::size_t Part>
  [[nodiscard]] std::string get() const {
    return Part == 0 ? all[index].first : all[index].second;
  }
};

/// Makes its elements on demand, whatever its category promises.
template <class Category>
struct made_range {
  struct iterator {
    using iterator_category = Category;
    using value_type = std::pair<std::string, std::string>;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = value_type;
    std::size_t index;
    value_type operator*() const { return all[index]; }
    iterator& operator++() { return ++index, *this; }
    bool operator!=(const iterator& other) const { return index != other.index; }
  };
  [[nodiscard]] iterator begin() const { return {0}; }
  [[nodiscard]] iterator end() const { return {all.size()}; }
};

/// An iterator that std::iterator_traits does not know, and a sentinel of another type.
struct made_range_with_sentinel {
  struct sentinel {};
  struct iterator {
    std::size_t index;
    std::pair<std::string, std::string> operator*() const { return all[index]; }
    iterator& operator++() { return ++index, *this; }
    bool operator!=(sentinel) const { return index != all.size(); }
  };
  [[nodiscard]] iterator begin() const { return {0}; }
  [[nodiscard]] sentinel end() const { return {}; }
};

/// Allows a single pass, and spoils each element when the iterator advances.
struct once {
  mutable const pairs* left;
  struct sentinel {};
  struct iterator {
    const pairs** left;
    std::size_t index = 0;
    std::pair<std::string, std::string> element = {};
    const std::pair<std::string, std::string>& operator*() { return element = (**left)[index]; }
    iterator& operator++() {
      element = {"spoilt", "spoilt"};
      if (++index == (*left)->size()) *left = nullptr;
      return *this;
    }
    bool operator!=(sentinel) const { return *left != nullptr && index < (*left)->size(); }
  };
  [[nodiscard]] iterator begin() const {
    REQUIRE(left != nullptr);  // or it would be read twice
    return {&left};
  }
  [[nodiscard]] sentinel end() const { return {}; }
};

/// A line "name value", for an iterator that keeps only the last line read.
struct line {
  std::string name, value;
  friend std::istream& operator>>(std::istream& in, line& line) {
    return std::getline(std::getline(in, line.name, ' '), line.value);
  }
};

struct lines {
  std::shared_ptr<std::istringstream> in;
  [[nodiscard]] std::istream_iterator<line> begin() const { return std::istream_iterator<line>(*in); }
  [[nodiscard]] std::istream_iterator<line> end() const { return {}; }
};

}  // namespace

namespace std {
template <>
struct tuple_size<made_pair> : integral_constant<size_t, 2> {};
template <size_t Part>
struct tuple_element<Part, made_pair> {
  using type = string;
};
}  // namespace std

TEST_CASE("elements that a range makes on demand are kept") {
  check_is(webhook_headers(made_range<std::input_iterator_tag>()));
  check_is(webhook_headers(made_range_with_sentinel()));
  const made_range<std::input_iterator_tag> range;
  check_is(webhook_headers(range));
  check_is_received(range);
  const made_range<std::random_access_iterator_tag> that_promises_more;
  check_is(webhook_headers(that_promises_more));
  const made_range_with_sentinel with_sentinel;
  check_is(webhook_headers(with_sentinel));
  const std::vector<made_pair> made_pairs{{0}, {1}, {2}, {3}, {4}};
  check_is(webhook_headers(made_pairs));
  const std::vector<std::tuple<std::string, std::string>> tuples(all.begin(), all.end());
  check_is(webhook_headers(tuples));
  const std::vector<std::array<std::string, 2>> arrays{
      {"webhook-id", id}, {"webhook-timestamp", timestamp}, {"webhook-signature", signature}};
  check_is(webhook_headers(arrays));

  std::string text;
  for (const auto& [name, value] : all) text += name + ' ' + value + '\n';
  const lines read{std::make_shared<std::istringstream>(text)};
  check_is(webhook_headers(read));
}

TEST_CASE("a range is read once, even if a header is missing or duplicated") {
  check_is(webhook_headers(once{&all}));
  const pairs with_relative{{"X-Request-Id", "1"}, {"Svix-Id", id}, {"webhook-timestamp", timestamp}};
  CHECK(failure_of(once{&with_relative}) ==
        failure{WebhookErrc::missing_header,
                "webhook-id header: missing; there is svix-id, which Standard Webhooks does not use"});
  const pairs twice{
      {"webhook-id", "1"}, {"webhook-timestamp", "2"}, {"webhook-timestamp", "3"}, {"webhook-id", "4"}};
  CHECK(failure_of(once{&twice}) ==
        failure{WebhookErrc::invalid_header, "webhook-timestamp header: duplicated, with different values"});
}

/// A range that can only be iterated as non-const, like a C++20 filter view.
struct unconst_range {
  pairs elements = all;
  pairs::iterator begin() { return elements.begin(); }
  pairs::iterator end() { return elements.end(); }
};

TEST_CASE("a range that can only be iterated as non-const will do") {
  unconst_range range;
  check_is(webhook_headers(range));
  check_is(webhook_headers(unconst_range()));
  check_is_received(range);
#if __cpp_lib_ranges >= 201911L && (!defined(__clang__) || __clang_major__ >= 16)  // older ones reject libstdc++
  check_is(webhook_headers(all | std::views::filter([](const auto& header) { return !header.first.empty(); })));
#endif
}

TEST_CASE("names and values may be any type of text") {
  const auto check = [](const auto& range) { check_is(webhook_headers(range)); };
  check(std::vector<std::pair<byte_array, byte_array>>(all.begin(), all.end()));
  check(std::vector<std::pair<const char*, std::optional<std::string>>>{{"host", std::nullopt},
                                                                        {"webhook-id", id},
                                                                        {"webhook-timestamp", timestamp},
                                                                        {"webhook-signature", signature}});
  check(std::map<std::string, const std::string*>{{"host", nullptr},
                                                  {"webhook-id", &id},
                                                  {"webhook-timestamp", &timestamp},
                                                  {"webhook-signature", &signature}});
  const std::map<std::string, const char*> without_value{
      {"webhook-id", id.c_str()}, {"webhook-timestamp", nullptr}, {"webhook-signature", signature.c_str()}};
  CHECK(failure_of(without_value) == failure{WebhookErrc::missing_header, "webhook-timestamp header: missing"});
}

TEST_CASE("header names may be in any letter case, and values may have whitespace around them") {
  const pairs rows[] = {
      {{"webhook-id", "a b"}, {"webhook-timestamp", "t"}, {"webhook-signature", "s"}},
      {{"WEBHOOK-ID", "a b"}, {"WEBHOOK-TIMESTAMP", "t"}, {"WEBHOOK-SIGNATURE", "s"}},
      {{"WeBhOoK-sIgNaTuRe", "s"}, {"webhooK-timestamP", "t"}, {"Webhook-ID", "a b"}},
      {{"webhook-id", " a b"}, {"webhook-timestamp", "t "}, {"webhook-signature", "\ts\t \t"}},
      {{"webhook-id", "a b\r"}, {"webhook-timestamp", "\rt"}, {"webhook-signature", " s \r"}},
      {{"webhook-id", "a b"}, {"webhook-timestamp", "t"}, {"webhook-signature", "s"}, {"webhook-id", "a b"}},
      {{"webhook-id", "a b"}, {"webhook-timestamp", "t"}, {"webhook-signature", "s"}, {"Webhook-Id", " a b\t"}},
  };
  for (const auto& row : rows) check_is(webhook_headers(row), "a b", "t", "s");

  pairs with_others = rows[0];
  for (const auto& name : {"webhook-id "s, "webhook-i"s, "webhook-idd"s, "webhook_id"s, "webhookMid"s, "svix-id"s,
                           "webhook-\xc4\xb1\x64"s, "webhook-id\0"s}) {
    with_others.insert(with_others.begin(), {name, "x"});
  }
  check_is(webhook_headers(with_others), "a b", "t", "s");
  const pairs odd{{"webhook-id", "\r\x01\xff\n"}, {"webhook-timestamp", "\0"s}, {"webhook-signature", "\xa0"}};
  check_is(webhook_headers(odd), "\x01\xff\n", "\0"sv, "\xa0");
}

TEST_CASE("a missing, empty or contradictory header is an error that names it") {
  for (const std::string name : {"webhook-id", "webhook-timestamp", "webhook-signature"}) {
    INFO(name);
    pairs others;
    for (const auto& other : {"webhook-id", "webhook-timestamp", "webhook-signature"}) {
      if (other != name) others.emplace_back(other, "x");
    }
    const failure missing{WebhookErrc::missing_header, name + " header: missing"};
    const failure twice =
        name == "webhook-signature"
            ? failure{}
            : failure{WebhookErrc::invalid_header, name + " header: duplicated, with different values"};
    const struct {
      std::vector<std::string> values;
      failure expected;
    } rows[] = {
        {{}, missing},         {{""}, missing},          {{" \t "}, missing}, {{"", ""}, missing},
        {{"", " "}, missing},  {{"x", "y"}, twice},      {{"x", "X"}, twice}, {{"x", ""}, twice},
        {{"", "x"}, twice},    {{"x", "x", "y"}, twice}, {{"x", " x "}, {}},  {{"x", "x", "x"}, {}},
        {{"x", "x y"}, twice}, {{"", "", ""}, missing},
    };
    for (const auto& row : rows) {
      pairs headers = others;
      bool upper = false;
      for (const auto& value : row.values) {
        headers.emplace(headers.begin(), upper ? "W" + name.substr(1) : name, value);
        upper = !upper;
      }
      CHECK(failure_of(headers) == row.expected);
      CHECK(failure_of(std::multimap<std::string, std::string>(headers.begin(), headers.end())) == row.expected);
    }
  }
  CHECK(failure_of(pairs{}) == failure{WebhookErrc::missing_header, "webhook-id header: missing"});
  CHECK(failure_of(pairs{{"webhook-id", "msg.1"}, {"webhook-timestamp", "x"}, {"webhook-signature", "x"}}) ==
        failure{WebhookErrc::invalid_header, "webhook-id header: there is a dot in it"});
}

TEST_CASE("several webhook-signature headers form one list") {
  const struct {
    std::vector<std::string> values;
    std::string list;
  } rows[] = {
      {{"v1,a"}, "v1,a"},
      {{"v1,a", "v1,b"}, "v1,a v1,b"},
      {{"v1,a", "v1,b", "v1,c"}, "v1,a v1,b v1,c"},
      {{" v1,a v1,b ", "\tv1,c"}, "v1,a v1,b v1,c"},
      {{"v1,a", "v1,a"}, "v1,a v1,a"},
      {{"", "v1,a"}, "v1,a"},
      {{"v1,a", ""}, "v1,a"},
  };
  for (const auto& row : rows) {
    INFO(row.list);
    pairs headers{{"webhook-id", id}, {"webhook-timestamp", timestamp}};
    for (const auto& value : row.values) headers.emplace_back("Webhook-Signature", value);
    check_is(webhook_headers(headers), id, timestamp, row.list);
    WebhookHeaders copy;
    {
      const auto found = webhook_headers(pairs(headers));
      copy = found;
    }
    check_is(copy, id, timestamp, row.list);
  }
  const pairs many(10'000, {"webhook-signature", signature});
  const auto before = allocations::bytes;
  detail::with_headers(many, [](const detail::header_views& received) {
    CHECK(received.signature.size() == 10'000 * (signature.size() + 1) - 1);
  });
  CHECK(allocations::bytes - before < 10 * many.size() * signature.size());
}

TEST_CASE("the error for a missing header names a lookalike") {
  const pairs ours{{"webhook-id", "1"}, {"webhook-timestamp", "2"}, {"webhook-signature", "3"}};
  const struct {
    std::string name, hint;
  } rows[] = {
      {"svix-id", "svix-id"},
      {"Svix-Timestamp", "svix-timestamp"},
      {"SVIX-SIGNATURE", "svix-signature"},
      {"X-Svix-Timestamp", "x-svix-timestamp"},
      {"webhook_id", "webhook_id"},
      {"HTTP_WEBHOOK_SIGNATURE", "http_webhook_signature"},
      {"X-Webhook-Id", "x-webhook-id"},
      {"X-Webhook-Timestamp", "x-webhook-timestamp"},
      {"X-Webhook-Signature", "x-webhook-signature"},
      {"X-Signature", "x-signature"},
      {"X-Hub-Signature-256", "x-hub-signature-256"},
      {"x-request-id", ""},
      {"svix", ""},
      {"x-webhook-signature\r\nSet-Cookie: a", ""},
      {"webhook-ids", ""},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    const std::string hint =
        row.hint.empty() ? "" : "; there is " + row.hint + ", which Standard Webhooks does not use";
    for (const auto& [missing, unused] : ours) {
      pairs headers{{"host", "x"}, {row.name, "y"}};
      for (const auto& header : ours) {
        if (header.first != missing) headers.push_back(header);
      }
      CHECK(failure_of(headers) == failure{WebhookErrc::missing_header, missing + " header: missing" + hint});
    }
    pairs complete = ours;
    complete.emplace(complete.begin(), row.name, "y");
    check_is(webhook_headers(complete), "1", "2", "3");
  }
}

TEST_CASE("every lookalike is noticed") {
  for (const auto& names : detail::lookalikes) {
    for (const std::string_view name : names) {
      INFO(name);
      const auto what =
          "webhook-id header: missing; there is " + std::string(name) + ", which Standard Webhooks does not use";
      if (!name.empty()) CHECK(failure_of(pairs{{std::string(name), "x"}}).what == what);
    }
  }
}

// Lookup functions, and headers made by hand. verify_test.cpp tests what verify() takes.

namespace {

/// The value of the header, or null.
const std::string* value_of(std::string_view name) {
  return name == "webhook-id"          ? &id
         : name == "webhook-timestamp" ? &timestamp
         : name == "webhook-signature" ? &signature
                                       : nullptr;
}

const char* characters_of(const char* name) { return value_of(name)->c_str(); }

/// Text of a fixed capacity, which needs no destructor.
struct fixed_text {
  explicit fixed_text(const std::string& text) : length(text.copy(characters.data(), characters.size())) {}
  [[nodiscard]] const char* data() const { return characters.data(); }
  [[nodiscard]] std::size_t size() const { return length; }

  std::array<char, 200> characters{};
  std::size_t length;
};

}  // namespace

TEST_CASE("headers are found by a lookup function, and what it returns by value is kept") {
  check_is_received(characters_of);
  check_is_received(&characters_of);
  check_is_received([](std::string_view name) -> const std::string& { return *value_of(name); });
  check_is_received([](const std::string& name) { return *value_of(name); });
  check_is_received([](const char* name) -> const std::string { return *value_of(name); });
  check_is_received([](const char* name) -> std::string_view { return *value_of(name); });
  check_is_received([](const char* name) { return value_of(name); });
  check_is_received([](const char* name) { return byte_array(*value_of(name)); });
  check_is_received(
      [](const char* name) { return std::vector<char>(value_of(name)->begin(), value_of(name)->end()); });
  check_is_received([](const char* name) { return fixed_text(*value_of(name)); });
  check_is_received([](const char* name) { return std::optional(fixed_text(*value_of(name))); });
  check_is_received([](const char* name) { return std::optional(*value_of(name)); });
  check_is_received([](const char* name) { return std::optional<std::string_view>(*value_of(name)); });
  check_is_received([](const char* name) { return std::optional(characters_of(name)); });
  check_is_received([](const char* name) { return std::make_unique<std::string>(*value_of(name)); });
  check_is_received([](const char* name) { return std::make_shared<const byte_array>(*value_of(name)); });
  check_is_received([](const char* name) { return WebhookHeaderValue(std::string(*value_of(name))); });
  check_is_received([](const auto& name) { return "\t " + *value_of(name) + " "; });
  check_is_received(
      std::function<std::string(const std::string&)>([](const auto& name) { return *value_of(name); }));

  int calls = 0;
  check_is_received([calls](const char* name) mutable { return ++calls, *value_of(name); });
  auto counting = [calls](const char* name) mutable { return ++calls, *value_of(name); };
  check_is_received(counting);

  const auto nothing = [](const detail::header_views&) {};
  const auto before = allocations::count;
  detail::with_headers(characters_of, nothing);
  detail::with_headers([](const char* name) { return std::string_view(*value_of(name)); }, nothing);
  detail::with_headers([](const char* name) { return fixed_text(*value_of(name)); }, nothing);
  detail::with_headers([](const char* name) { return value_of(name); }, nothing);
  CHECK(allocations::count == before);
}

TEST_CASE("whatever a lookup function returns for an absent header counts as empty") {
  const auto check_is_empty = [](const auto& lookup) { check_is_received(lookup, "", "", ""); };
  check_is_empty([](const char*) -> const char* { return nullptr; });
  check_is_empty([](const char*) -> const std::string* { return nullptr; });
  check_is_empty([](const char*) { return nullptr; });
  check_is_empty([](const char*) { return std::string(); });
  check_is_empty([](const char*) { return std::string_view(); });
  check_is_empty([](const char*) { return std::optional<std::string>(); });
  check_is_empty([](const char*) { return std::optional<const char*>(nullptr); });
  check_is_empty([](const char*) { return std::unique_ptr<std::string>(); });
  check_is_empty([](const char*) { return " \t"; });
}

TEST_CASE("an exception of the lookup function propagates") {
  const auto fail = [](const char*) -> std::string { throw std::out_of_range("mine"); };
  CHECK_THROWS_AS(detail::with_headers(fail, [](const detail::header_views&) {}), std::out_of_range);
}

TEST_CASE("headers can be made by hand from any text, and from null") {
  check_is(WebhookHeaders{id, timestamp.c_str(), std::string_view(signature)});
  check_is(WebhookHeaders{}, "", "", "");
  const char* const absent = nullptr;
  check_is(WebhookHeaders{absent, nullptr, static_cast<const std::string*>(nullptr)}, "", "", "");
  check_is(WebhookHeaders{"1", std::optional<std::string>("2"), &signature}, "1", "2", signature);
  char buffer[] = "3";
  check_is(WebhookHeaders{buffer, "\0"s, byte_array(signature)}, "3", "\0"sv, signature);

  WebhookHeaders headers{std::string(id), byte_array(timestamp), std::make_unique<std::string>(signature)};
  check_is(headers);
  WebhookHeaders copy = headers;
  headers = {};
  check_is(copy);
  const WebhookHeaders moved = std::move(copy);
  check_is(moved);
  headers.id = std::string(id);
  headers.timestamp = absent;
  headers.signature = moved.signature;
  check_is(headers, id, "");
  check_is(WebhookHeaders{" 1\t", "\r2\r", "\t 3 "}, "1", "2", "3");
  check_is(WebhookHeaders{std::optional<std::string>(" 1 2\r"), " ", std::string_view("3 ")}, "1 2", "", "3");
#if __cpp_designated_initializers >= 201907L
  check_is(WebhookHeaders{.id = std::string(id), .timestamp = timestamp, .signature = signature});
#endif
}

TEST_CASE("a header value converts to a view, compares with any text and outlives its source") {
  std::string text = id;
  const WebhookHeaderValue value(text), other("x");
  text.assign(text.size(), '?');
  CHECK(value == id);
  CHECK(id == value);
  CHECK(value == id.c_str());
  CHECK(value == std::string_view(id));
  CHECK(value != other);
  CHECK(value != "x");
  CHECK("x" == other);
  CHECK(value == WebhookHeaderValue(id));
  CHECK_FALSE(value.empty());
  CHECK(WebhookHeaderValue().empty());
  const std::string_view view = value;
  CHECK(view == id);
  CHECK(std::string(value) == id);
  CHECK(std::string(webhook_headers(pairs(all)).id) == id);
  const auto [first, second, third] = WebhookHeaders{id, timestamp, signature};
  CHECK(first == id);
  CHECK(second == timestamp);
  CHECK(third == signature);
}

static_assert(std::is_nothrow_move_constructible_v<WebhookHeaders> && std::is_aggregate_v<WebhookHeaders>);
// A view of a temporary would dangle.
static_assert(std::is_convertible_v<const WebhookHeaderValue&, std::string_view> &&
              !std::is_convertible_v<WebhookHeaderValue, std::string_view> &&
              !std::is_convertible_v<const WebhookHeaderValue, std::string_view>);
static_assert(!std::is_base_of_v<std::string_view, WebhookHeaderValue>);
static_assert(!std::is_constructible_v<WebhookHeaderValue, int> &&
              !std::is_constructible_v<WebhookHeaderValue, const int*>);
static_assert(!std::is_constructible_v<WebhookHeaderValue, std::vector<std::string>>);
static_assert(!std::is_constructible_v<WebhookHeaderValue, std::u16string> &&
              !std::is_constructible_v<WebhookHeaderValue, bool>);
static_assert(!std::is_constructible_v<WebhookHeaderValue, std::optional<int>> &&
              !std::is_constructible_v<WebhookHeaderValue, void*>);
static_assert(!detail::is_range_of_pairs<std::string> && !detail::is_range_of_pairs<std::vector<std::string>>);
static_assert(!detail::is_range_of_pairs<std::vector<std::tuple<std::string, std::string, std::string>>>);
template <class... Members>
struct aggregate;
template <class A>
struct aggregate<A> {
  A a;
};
template <class A, class B>
struct aggregate<A, B> {
  A a;
  B b;
};
template <class A, class B, class C>
struct aggregate<A, B, C> {
  A a;
  B b;
  C c;
};
template <class... Members>
constexpr bool is_pair = detail::is_range_of_pairs<std::vector<aggregate<Members...>>>;
static_assert(is_pair<std::string, std::string> && is_pair<const char*, std::string_view> &&
              is_pair<std::string, WebhookHeaderValue> && is_pair<std::string, byte_array> &&
              is_pair<byte_array, std::string> && is_pair<std::array<char, 9>, std::optional<std::string>>);
static_assert(!is_pair<std::string, std::string, bool> && !is_pair<const char*, std::string, std::string>);
struct inherited_pair : std::pair<std::string, std::string> {};
struct references {
  const std::string& name;
  const std::string& value;
};
static_assert(detail::is_range_of_pairs<std::vector<inherited_pair>> &&
              detail::is_range_of_pairs<std::array<references, 3>>);
static_assert(!detail::is_lookup<int> && !detail::is_lookup<pairs> && !detail::is_lookup<int (*)(const char*)>);
static_assert(!detail::is_lookup<std::string (*)(int)> && detail::is_lookup<std::string (*)(std::string)>);
