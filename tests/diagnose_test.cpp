// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/diagnose.hpp>

#include "catch.hpp"
#include "samples.hpp"
#include "signature.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <ostream>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

using namespace anthropic::webhooks;
using namespace std::literals;
using time_point = std::chrono::system_clock::time_point;
using cause = WebhookCause;

namespace anthropic::webhooks {
std::ostream& operator<<(std::ostream& out, WebhookCause cause) { return out << to_string(cause); }
}  // namespace anthropic::webhooks

namespace {

const std::string key = "0123456789abcdefghijklmnopqrstu\n";
const std::string secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dQo=";
const std::string other_secret = "whsec_dGhlIGtleSBvZiBhbm90aGVyIGVuZHBvaW50";
// A key whose base64 has both + and /, which the url-safe alphabet replaces.
const std::string plus_key = "\xfb\xef\xbe\xff\xff\xff\xfb\xef\xbe\xff\xff\xff\xfb\xef\xbe\xff\xff\xff"s;
const std::string plus_secret = "whsec_++++////++++////++++////";
constexpr std::int64_t seconds = 1773568800;
const std::string timestamp = "1773568800";
constexpr time_point now{std::chrono::seconds{seconds}};
const std::string body = samples::fixture("session.status_idled");

struct sent {
  std::string secret = ::secret, id = "msg_1", timestamp = ::timestamp, body = ::body, signature = {};
};

/// A correctly signed request for the tests to spoil.
sent signed_request(const std::string& text = body, const std::string& with_key = key,
                    const std::string& at = timestamp, const std::string& with_secret = secret) {
  return {with_secret, "msg_1", at, text, signature(with_key, "msg_1", at, text)};
}

std::vector<WebhookFinding> findings_of(const sent& request, time_point at = now) {
  return diagnose(request.secret, request.body, WebhookHeaders{request.id, request.timestamp, request.signature},
                  at);
}

bool has_a_part_of(std::string_view text, std::string_view confidential) {
  constexpr std::size_t length = 8;
  for (std::size_t i = 0; i + length <= confidential.size(); ++i) {
    if (text.find(confidential.substr(i, length)) != std::string_view::npos) return true;
  }
  return false;
}

void check_findings(const std::vector<WebhookFinding>& findings, const std::set<cause>& expected, bool proven) {
  std::set<cause> causes;
  for (const auto& finding : findings) {
    INFO(finding.what);
    CHECK(finding.proven == proven);
    CHECK(causes.insert(finding.cause).second);
    for (const auto& sentence : {finding.what, finding.remedy}) {
      CHECK(sentence.size() > 15);
      CHECK(sentence.size() < 200);
      CHECK(sentence.back() == '.');
    }
  }
  CHECK(causes == expected);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string percent_encoded(const std::string& text) {
  std::ostringstream out;
  out << std::uppercase << std::hex;
  for (const char c : text) out << '%' << ((c & 0xFF) / 16) << ((c & 0xFF) % 16);
  return out.str();
}

std::string base64(const std::string& text) {
  std::string digits(text.size() / 3 * 4 + 5, '\0');
  digits.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(digits.data()),
                                                         reinterpret_cast<const unsigned char*>(text.data()),
                                                         static_cast<int>(text.size()))));
  return digits;
}

std::string without_padding(std::string digits) {
  digits.erase(digits.find_last_not_of('=') + 1);
  return digits;
}

std::string in_lines(const std::string& text, std::size_t length, const std::string& line_end) {
  std::string lines;
  for (std::size_t at = 0; at < text.size(); at += length) lines += text.substr(at, length) + line_end;
  return lines;
}

std::string json_string(std::string text) {
  const std::pair<std::string, std::string> escapes[] = {
      {"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}, {"\r", "\\r"}, {"\0"s, "\\u0000"}};
  for (const auto& [character, escape] : escapes) text = replaced(text, character, escape);
  return '"' + text + '"';
}

std::string hexadecimal(const std::string& of_signature) {
  std::string bytes(33, '\0');
  EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                  reinterpret_cast<const unsigned char*>(of_signature.data()) + 3, 44);
  std::string text;
  for (std::size_t i = 0; i < 32; ++i) {
    text += "0123456789abcdef"[static_cast<unsigned char>(bytes[i]) / 16];
    text += "0123456789abcdef"[static_cast<unsigned char>(bytes[i]) % 16];
  }
  return text;
}

std::string url_safe(std::string text) { return replaced(replaced(std::move(text), "+", "-"), "/", "_"); }

/// A request whose signature contains + and / but does not start with +. `sign` takes a text that varies.
template <class Sign>
sent request_with_plus_and_slash(Sign sign) {
  for (int i = 0;; ++i) {
    auto request = sign(std::to_string(i));
    const auto digits = std::string_view(request.signature).substr(3);
    if (digits.find('+') != std::string_view::npos && digits.find('/') != std::string_view::npos &&
        digits[0] != '+') {
      return request;
    }
  }
}

struct spoilt {
  std::string name;
  sent request;
  std::set<cause> expected;
  std::int64_t at = seconds;
};

sent with_body(sent request, std::string text) {
  request.body = std::move(text);
  return request;
}
sent with_secret(sent request, std::string text) {
  request.secret = std::move(text);
  return request;
}
sent with_signature(sent request, std::string text) {
  request.signature = std::move(text);
  return request;
}

std::vector<spoilt> spoilt_requests() {
  const auto good = signed_request();
  const auto good_at = [](std::int64_t at) { return signed_request(body, key, std::to_string(at)); };
  const auto text_key = [&good](const std::string& given, const std::string& with_key) {
    return with_secret(signed_request(good.body, with_key), given);
  };
  auto swapped = good;
  std::swap(swapped.id, swapped.timestamp);
  auto cut_to_seconds = good;
  cut_to_seconds.timestamp += "123";
  const auto plus = request_with_plus_and_slash([](const std::string& text) { return signed_request(text); });
  const auto plain = plus.signature.substr(3);
  const auto plus_secret_request = signed_request(body, plus_key, timestamp, plus_secret);
  const std::string lines = "{\n  \"a\": 1\n}";

  std::vector<spoilt> rows{
      {"unchanged", good, {cause::verified}},
      {"one of two signatures", with_signature(good, "v1,AAAA " + good.signature), {cause::verified}},
      {"at the tolerance", good_at(seconds - 300), {cause::verified}},

      {"LF added", with_body(good, body + "\n"), {cause::body_newline}},
      {"CRLF added", with_body(good, body + "\r\n"), {cause::body_newline}},
      {"many newlines added", with_body(good, body + "\n\n\r\n\n"), {cause::body_newline}},
      {"LF removed", with_body(signed_request(body + "\n"), body), {cause::body_newline}},
      {"CRLF removed", with_body(signed_request(body + "\r\n"), body), {cause::body_newline}},
      {"two CRLF removed", with_body(signed_request(body + "\r\n\r\n"), body), {cause::body_newline}},
      {"one of two LF removed", with_body(signed_request(body + "\n\n"), body + "\n"), {cause::body_newline}},
      {"LF to CRLF", with_body(signed_request(lines), "{\r\n  \"a\": 1\r\n}"), {cause::body_line_endings}},
      {"CRLF to LF", with_body(signed_request("x\r\ny\r\n"), "x\ny\n"), {cause::body_line_endings}},
      {"BOM added", with_body(good, "\xef\xbb\xbf" + body), {cause::body_byte_order_mark}},
      {"BOM removed", with_body(signed_request("\xef\xbb\xbf" + body), body), {cause::body_byte_order_mark}},
      {"percent-encoded", with_body(good, percent_encoded(body)), {cause::body_percent_encoded}},
      {"value in a form", with_body(good, "payload=" + percent_encoded(body)), {cause::body_percent_encoded}},
      {"name in a form", with_body(good, percent_encoded(body) + "="), {cause::body_percent_encoded}},
      {"spaces in a form",
       with_body(signed_request(R"({"a": "+"})"), "%7b%22a%22:+%22%2b%22%7d"),
       {cause::body_percent_encoded}},
      {"form-decoded",
       with_body(signed_request(R"({"a":"2026-03-15T10:00:00+00:00"})"), R"({"a":"2026-03-15T10:00:00 00:00"})"),
       {cause::body_percent_encoded}},

      {"base64", with_body(good, base64(body)), {cause::body_base64}},
      {"base64 without padding",
       with_body(signed_request("{}"), without_padding(base64("{}"))),
       {cause::body_base64}},
      {"base64 in lines", with_body(good, in_lines(base64(body), 76, "\r\n")), {cause::body_base64}},
      {"base64 and LF", with_body(good, base64(body) + "\n"), {cause::body_base64}},
      {"url-safe base64", with_body(signed_request("{\"?>~\xff"), "eyI_Pn7_"), {cause::body_base64}},
      {"url-safe base64 without padding, in lines",
       with_body(signed_request("~~~?>~\xff\xff"), "fn5\n-Pz5-\n__8"),
       {cause::body_base64}},
      {"JSON string", with_body(good, json_string(body)), {cause::body_json_string}},
      {"JSON string with space", with_body(good, " \r\n" + json_string(body) + "\n"), {cause::body_json_string}},
      {"JSON string with escapes",
       with_body(signed_request("{\n/\xc3\xa9\xf0\x9f\x98\x80}"), R"("\u007b\n\/\u00E9\ud83d\ude00}")"),
       {cause::body_json_string}},
      {"NUL", with_body(good, body + '\0'), {cause::body_nul}},
      {"many NULs", with_body(good, body + std::string(1000, '\0')), {cause::body_nul}},

      {"é read as Latin-1", with_body(signed_request("é"), "Ã©"), {cause::body_charset}},
      {"€ read as Latin-1", with_body(signed_request("€"), "â\u0082¬"), {cause::body_charset}},
      {"€ read as Windows-1252", with_body(signed_request("€"), "â‚¬"), {cause::body_charset}},
      {"an emoji read as Latin-1", with_body(signed_request("😀"), "ð\u009f\u0098\u0080"), {cause::body_charset}},
      {"an emoji read as Windows-1252", with_body(signed_request("😀"), "ðŸ˜€"), {cause::body_charset}},
      {"an emoji with two bytes that Windows-1252 leaves undefined",
       with_body(signed_request("🐁"), "ðŸ\u0090\u0081"),
       {cause::body_charset}},
      {"raw Latin-1", with_body(signed_request("{\"é\":\"ÿ\"}"), "{\"\xe9\":\"\xff\"}"), {cause::body_charset}},
      {"raw Windows-1252", with_body(signed_request("€\u00a0é"), "\x80\xa0\xe9"), {cause::body_charset}},
      {"raw Latin-1 converted to UTF-8", with_body(signed_request("\xe9"), "é"), {cause::body_charset}},
      {"read as Windows-1252, and escaped",
       with_body(signed_request(R"({"a":"é"})"), R"({"a": "\u00c3\u00a9"})"),
       {cause::body_charset, cause::body_reserialized}},
      {"written again, in Latin-1",
       with_body(signed_request(R"({"a":"é"})"), "{\"a\": \"\xe9\"}"),
       {cause::body_charset, cause::body_reserialized}},
      {"read as Latin-1, in base64 with LF",
       with_body(signed_request(R"({"a":"é"})"), base64("{\"a\":\"Ã©\"}\n")),
       {cause::body_charset, cause::body_base64, cause::body_newline}},
      {"BOM read as Windows-1252",
       with_body(signed_request(R"({"a":"é"})"), "ï»¿{\"a\":\"Ã©\"}"),
       {cause::body_charset, cause::body_byte_order_mark}},

      {"quoted secret", with_secret(good, '"' + secret + '"'), {cause::secret_decorated}},
      {"secret with LF", with_secret(good, secret + "\n"), {cause::secret_decorated}},
      {"secret with whitespace", with_secret(good, " \t'" + secret + "'\r\n"), {cause::secret_decorated}},
      {"secret with BOM", with_secret(good, "\xef\xbb\xbf" + secret), {cause::secret_decorated}},
      {"secret in two lines",
       with_secret(good, secret.substr(0, 30) + "\n  " + secret.substr(30)),
       {cause::secret_decorated}},
      {"second secret", with_secret(good, other_secret + "," + secret), {cause::secret_decorated}},
      {"first secret", with_secret(good, secret + " " + other_secret), {cause::secret_decorated}},
      {"v1, and secret", with_secret(good, "v1," + secret), {cause::secret_decorated}},
      {"text of the secret", text_key(secret, secret), {cause::secret_used_as_text}},
      {"text without prefix", text_key(secret, secret.substr(6)), {cause::secret_used_as_text}},
      {"text with prefix", text_key(secret.substr(6), secret), {cause::secret_used_as_text}},
      {"password", text_key("correct horse", "correct horse"), {cause::secret_used_as_text}},
      {"password with prefix", text_key("whsec_battery staple", "battery staple"), {cause::secret_used_as_text}},
      {"decoded key", text_key(key, key), {cause::secret_used_as_text}},
      {"url-safe secret",
       with_secret(plus_secret_request, url_safe(plus_secret.substr(6))),
       {cause::secret_url_safe}},
      {"url-safe secret with prefix",
       with_secret(plus_secret_request, "whsec_" + url_safe(plus_secret.substr(6))),
       {cause::secret_url_safe}},

      {"encoded twice", with_secret(good, base64(secret)), {cause::secret_encoded_twice}},
      {"encoded twice, without padding",
       with_secret(good, without_padding(base64(secret))),
       {cause::secret_encoded_twice}},
      {"encoded twice, with prefix", with_secret(good, "whsec_" + base64(secret)), {cause::secret_encoded_twice}},
      {"encoded twice, without prefix",
       with_secret(good, base64(secret.substr(6))),
       {cause::secret_encoded_twice}},

      {"swapped", swapped, {cause::id_and_timestamp_swapped}},
      {"signed milliseconds", signed_request(body, key, timestamp + "123"), {cause::timestamp_in_milliseconds}},
      {"seconds turned into milliseconds", cut_to_seconds, {cause::timestamp_in_milliseconds}},
      {"301 s old", good_at(seconds - 301), {cause::clock}},
      {"301 s early", good_at(seconds + 301), {cause::clock}},
      {"years old", good_at(0), {cause::clock}},
      {"very late", good_at(999'999'999'999), {cause::clock}},

      {"hexadecimal", with_signature(good, hexadecimal(good.signature)), {cause::signature_hexadecimal}},
      {"v1 hexadecimal",
       with_signature(good, "v1," + hexadecimal(good.signature)),
       {cause::signature_hexadecimal}},
      {"sha256= hexadecimal",
       with_signature(good, "sha256=" + hexadecimal(good.signature)),
       {cause::signature_hexadecimal}},
      {"url-safe", with_signature(plus, "v1," + url_safe(plain)), {cause::signature_url_safe}},
      {"url-safe without padding",
       with_signature(plus, "v1," + url_safe(plain.substr(0, 43))),
       {cause::signature_url_safe}},
      {"without padding", with_signature(plus, "v1," + plain.substr(0, 43)), {cause::signature_url_safe}},
      {"without version", with_signature(plus, plain), {cause::signature_without_version}},
      {"v1=", with_signature(plus, "v1=" + plain), {cause::signature_without_version}},
      {"V1,", with_signature(plus, "V1," + plain), {cause::signature_without_version}},
      {"without version, before another",
       with_signature(plus, plain + " v1,AAAA"),
       {cause::signature_without_version}},
      {"one of two without version",
       with_signature(plus, "v1,AAAA v2,AAAA " + plain),
       {cause::signature_without_version}},

      {"form-decoded signature",
       with_signature(plus, replaced(plus.signature, "+", " ")),
       {cause::signature_form_decoded}},
      {"form-decoded signatures",
       with_signature(plus, replaced("v1,+++ v2," + plus.signature.substr(3) + " " + plus.signature, "+", " ")),
       {cause::signature_form_decoded}},
      {"%2B", with_signature(plus, replaced(plus.signature, "+", "%2B")), {cause::signature_form_decoded}},
      {"percent-encoded signature",
       with_signature(plus, percent_encoded(plus.signature)),
       {cause::signature_form_decoded}},
      {"form-encoded signatures",
       with_signature(plus, "v1%2Cx+v1%2C" + replaced(replaced(plain, "+", "%2b"), "/", "%2f")),
       {cause::signature_form_decoded}},

      {"url-safe without version",
       with_signature(plus, url_safe(plain)),
       {cause::signature_url_safe, cause::signature_without_version}},
      {"LF added, and old", with_body(good_at(seconds - 86400), body + "\n"), {cause::body_newline, cause::clock}},
      {"BOM, LF and quotes",
       with_secret(with_body(good, "\xef\xbb\xbf" + body + "\n"), "'" + secret + "'"),
       {cause::body_byte_order_mark, cause::body_newline, cause::secret_decorated}},
      {"old, and in milliseconds",
       signed_request(body, key, "1700000000000"),
       {cause::timestamp_in_milliseconds, cause::clock}},
      {"url-safe secret in quotes",
       with_secret(plus_secret_request, '"' + url_safe(plus_secret.substr(6)) + '"'),
       {cause::secret_decorated, cause::secret_url_safe}},
  };

  // JSON as Python, JavaScript, PHP and Go print it.
  const std::string raw = R"({"b":[1,2.50,{}],"id":"é😀/<&>\"\n","a":{"z":null,"id":[]},"type":"t"})";
  const std::string rewritten[] = {
      // json.dumps(), and with sort_keys, with indent and with ensure_ascii=False
      R"({"b": [1, 2.50, {}], "id": "\u00e9\ud83d\ude00/<&>\"\n", "a": {"z": null, "id": []}, "type": "t"})",
      R"({"a": {"id": [], "z": null}, "b": [1, 2.50, {}], "id": "\u00e9\ud83d\ude00/<&>\"\n", "type": "t"})",
      "{\n  \"b\": [\n    1,\n    2.50,\n    {}\n  ],\n  \"id\": \"é😀/<&>\\\"\\n\",\n  \"a\": {\n    \"z\": "
      "null,\n"
      "    \"id\": []\n  },\n  \"type\": \"t\"\n}",
      "{\n    \"b\": [\n        1,\n        2.50,\n        {}\n    ],\n    \"id\": \"é😀/<&>\\\"\\n\",\n"
      "    \"a\": {\n        \"z\": null,\n        \"id\": []\n    },\n    \"type\": \"t\"\n}",
      // json_encode(), also with JSON_UNESCAPED_UNICODE
      R"({"b":[1,2.50,{}],"id":"\u00e9\ud83d\ude00\/<&>\"\n","a":{"z":null,"id":[]},"type":"t"})",
      R"({"b":[1,2.50,{}],"id":"é😀\/<&>\"\n","a":{"z":null,"id":[]},"type":"t"})",
      // Go, whose maps are sorted
      R"({"a":{"id":[],"z":null},"b":[1,2.50,{}],"id":"é😀/\u003c\u0026\u003e\"\n","type":"t"})",
      // with capital digits
      R"({"b":[1,2.50,{}],"id":"\u00E9\uD83D\uDE00/<&>\"\n","a":{"z":null,"id":[]},"type":"t"})",
      // the key orders of the service and its SDKs
      R"({"id":"é😀/<&>\"\n","a":{"id":[],"z":null},"b":[1,2.50,{}],"type":"t"})",
      R"({"type":"t","id":"é😀/<&>\"\n","a":{"id":[],"z":null},"b":[1,2.50,{}]})",
      // only the whitespace differs, some of it at the end
      R"({ "b":[1,2.50,{ }],"id":"é😀/<&>\"\n" ,"a":{"z":null,"id":[]},"type":"t"} )",
  };
  for (const auto& text : rewritten) {
    const std::string end = text.back() == ' ' ? " " : "";
    const bool is_sorted = text.find("\"b\"") > text.find("\"a\"");  // which loses the original order
    const std::set expected{is_sorted ? cause::unknown : cause::body_reserialized};
    if (end.empty()) rows.push_back({text, with_body(signed_request(text), raw), {cause::body_reserialized}});
    rows.push_back({text, with_body(signed_request(raw + end), text), expected});
  }

  // The first and last characters that need a surrogate pair, and the last that does not.
  rows.push_back({"surrogate pairs",
                  with_body(signed_request(R"({"id":"\ud800\udc00\udbff\udfff\uffff"})"),
                            "{\"id\":\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\xef\xbf\xbf\"}"),
                  {cause::body_reserialized}});

  // JavaScript writes a lone surrogate for text that was cut inside an emoji.
  rows.push_back({"a lone surrogate",
                  with_body(signed_request(R"({"b":1,"id":"cut \ud83d","c":"\ude00 and é"})"),
                            R"({ "b": 1, "id": "cut \ud83d", "c": "\ude00 and é"})"),
                  {cause::body_reserialized}});
  rows.push_back({"a lone surrogate before an escape",
                  with_body(signed_request(R"({"id":"\ud83d\n\ud83d"})"), R"({ "id":"\ud83d\n\ud83d"})"),
                  {cause::body_reserialized}});

  // The two key orders of the wire.
  const std::string sdk =
      R"({"id":"whe_1","created_at":"2026-03-15T10:00:00Z","data":{"id":"sesn_1","organization_id":"org_1",)"
      R"("type":"session.status_idled","workspace_id":"wrkspc_1"},"type":"event"})";
  const std::string service =
      R"({"type":"event","id":"whe_1","created_at":"2026-03-15T10:00:00Z","data":{"type":"session.status_idled",)"
      R"("id":"sesn_1","organization_id":"org_1","workspace_id":"wrkspc_1"}})";
  rows.push_back({"SDK order", with_body(signed_request(sdk), service), {cause::body_reserialized}});
  rows.push_back({"service order", with_body(signed_request(service), sdk), {cause::body_reserialized}});
  rows.push_back({"service order, old and with LF",
                  with_body(signed_request(service + "\n", key, "1773000000"), sdk),
                  {cause::body_reserialized, cause::body_newline, cause::clock}});
  return rows;
}

}  // namespace

TEST_CASE("a cause is proven if undoing it makes a signature match") {
  for (const auto& row : spoilt_requests()) {
    INFO(row.name);
    const auto findings = findings_of(row.request);
    check_findings(findings, row.expected, row.expected != std::set{cause::unknown});
    for (const auto& finding : findings) {
      for (const auto& text : {finding.what, finding.remedy}) {
        CHECK_FALSE(has_a_part_of(text, row.request.secret));
        CHECK_FALSE(has_a_part_of(text, row.request.signature));
        CHECK_FALSE(has_a_part_of(text, key));
        CHECK_FALSE(has_a_part_of(text, body));
      }
    }
    // With another secret, no signature matches.
    for (const auto& finding : findings_of(with_secret(row.request, other_secret))) CHECK_FALSE(finding.proven);
  }
}

TEST_CASE("every byte misread as Latin-1 or Windows-1252 is recovered, and vice versa") {
  const std::string windows_1252[] = {
      "€",      "\u0081", "‚", "ƒ", "„", "…", "†", "‡", "ˆ", "‰", "Š", "‹", "Œ", "\u008d", "Ž", "\u008f",
      "\u0090", "‘",      "’", "“", "”", "•", "–", "—", "˜", "™", "š", "›", "œ", "\u009d", "ž", "Ÿ"};
  for (int byte = 0x80; byte <= 0xFF; ++byte) {
    const std::string raw{static_cast<char>(byte)};
    const std::string latin_1{static_cast<char>(byte < 0xC0 ? 0xC2 : 0xC3), static_cast<char>(byte & 0xBF)};
    INFO(byte);
    for (const auto& utf8 : {latin_1, byte < 0xA0 ? windows_1252[byte - 0x80] : latin_1}) {
      check_findings(findings_of(with_body(signed_request(raw), utf8)), {cause::body_charset}, true);
      check_findings(findings_of(with_body(signed_request(utf8), raw)), {cause::body_charset}, true);
    }
  }
}

TEST_CASE("if no signature matches, everything that looks wrong is reported") {
  const auto good = signed_request();
  const std::string none = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  const auto wrong = with_signature(good, none);
  const auto missing = [&good](std::string sent::*header) {
    auto request = good;
    request.*header = "";
    return request;
  };
  auto malformed_time = wrong;
  malformed_time.timestamp = "2026-03-15T10:00:00Z";
  auto swapped = malformed_time;
  swapped.id = timestamp;
  auto swapped_and_empty = swapped;
  swapped_and_empty.timestamp = "";
  auto milliseconds = wrong;
  milliseconds.timestamp += "999";
  auto no_milliseconds = wrong;
  no_milliseconds.timestamp += "99x";
  auto no_digits = wrong;
  no_digits.timestamp.replace(9, 1, "x").append("000");
  auto microseconds = wrong;
  microseconds.timestamp += "000000";
  auto old = wrong;
  old.timestamp = "1";
  const std::string zeros(64, '0');
  const spoilt rows[] = {
      {"another secret", with_secret(good, other_secret), {cause::unknown}},
      {"another signature", wrong, {cause::unknown}},
      {"another body", with_body(good, "{}"), {cause::unknown}},
      {"another body that is text", with_body(good, "a\nb 100% + %4 %zz %"), {cause::unknown}},
      {"another, compressed and percent-encoded in name", with_body(good, "%"), {cause::unknown}},
      {"old, and another signature", old, {cause::unknown}},
      {"malformed time", malformed_time, {cause::timestamp_malformed}},
      {"empty body", with_body(good, ""), {cause::body_empty}},
      {"null body", {secret, "msg_1", timestamp, {}, none}, {cause::body_empty}},
      {"gzip", with_body(good, "\x1f\x8b\x08 more"), {cause::body_compressed}},
      {"zstd", with_body(good, "\x28\xb5\x2f\xfd more"), {cause::body_compressed}},
      {"zlib", with_body(good, "\x78\x9c more"), {cause::body_compressed}},
      {"zlib, fast", with_body(good, "\x78\x01 more"), {cause::body_compressed}},
      {"zlib, best", with_body(good, "\x78\xda more"), {cause::body_compressed}},
      {"zlib, other", with_body(good, "\x78\x5e more"), {cause::body_compressed}},
      {"percent-encoded, and another", with_body(good, "x=%7B%7D"), {cause::body_percent_encoded}},
      {"percent-encoded in lower case", with_body(good, "%7b%7d"), {cause::body_percent_encoded}},
      {"base64, and another", with_body(good, "eyJhIjoxfQ"), {cause::body_base64}},
      {"base64 in lines, and another", with_body(good, "ewog\r\nfQ==\n"), {cause::body_base64}},
      {"not base64", with_body(good, "eyJhIjox fQ"), {cause::unknown}},
      {"base64 of base64", with_body(good, base64(base64(body))), {cause::unknown}},
      {"JSON string, and another", with_body(good, "\"{}\""), {cause::body_json_string}},
      {"another JSON string", with_body(good, "\"a\""), {cause::unknown}},
      {"an invalid JSON string", with_body(good, "\"\\x\" \"\""), {cause::unknown}},
      {"NUL, and another", with_body(good, "{}\0"s), {cause::body_nul}},
      {"only NUL", with_body(good, "\0"s), {cause::body_nul}},
      {"U+FFFD", with_body(signed_request("é"), "\xef\xbf\xbd"), {cause::body_charset}},
      {"U+FFFD as an escape", with_body(signed_request("é"), R"({"a":"\ufffd"})"), {cause::body_charset}},
      {"U+FFFD as an escape in upper case",
       with_body(signed_request("é"), R"({"a":"\uFFFD"})"),
       {cause::body_charset}},
      {"a character that became a question mark", with_body(signed_request("é€"), "\xe9?"), {cause::unknown}},
      {"another body that is not ASCII", with_body(good, "\xc3\xc2\xc4\x80中é"), {cause::unknown}},

      {"password", with_secret(wrong, "battery staple"), {cause::secret_malformed}},
      {"empty secret", with_secret(wrong, ""), {cause::secret_malformed}},
      {"only a prefix", with_secret(signed_request(body, ""), "whsec_"), {cause::secret_malformed}},
      {"the prefix as key", with_secret(signed_request(body, "whsec_"), ""), {cause::secret_malformed}},
      {"short piece", with_secret(signed_request(body, "v1"), "v1,hunter2"), {cause::secret_malformed}},
      {"API key", with_secret(wrong, "sk-ant-api03-0123456789"), {cause::secret_malformed}},
      {"prefix twice", with_secret(wrong, "whsec_" + secret), {cause::secret_malformed}},
      {"four causes, one too many",
       with_secret(with_body(signed_request(body, key, "1773000000"), "\xef\xbb\xbf" + body + "\n"),
                   secret + "\n"),
       {cause::secret_decorated}},
      {"quoted secret", with_secret(wrong, '"' + secret + '"'), {cause::secret_decorated}},
      {"two secrets", with_secret(wrong, other_secret + "," + secret), {cause::secret_decorated}},
      {"twenty secrets",
       with_secret(wrong, replaced(std::string(20, 'x'), "x", secret + ",")),
       {cause::secret_decorated}},
      {"url-safe secret", with_secret(wrong, url_safe(plus_secret.substr(6))), {cause::secret_url_safe}},
      {"both",
       with_secret(wrong, url_safe(plus_secret.substr(6)) + "\n"),
       {cause::secret_decorated, cause::secret_url_safe}},

      {"encoded twice", with_secret(wrong, base64(secret)), {cause::secret_encoded_twice}},
      {"with LF, encoded twice",
       with_secret(wrong, base64(secret + "\n")),
       {cause::secret_decorated, cause::secret_encoded_twice}},
      {"url-safe, encoded twice, in quotes",
       with_secret(wrong, "'" + base64("whsec_" + url_safe(plus_secret.substr(6))) + "'"),
       {cause::secret_decorated, cause::secret_encoded_twice, cause::secret_url_safe}},
      {"something else, encoded twice", with_secret(wrong, base64("whsec_hunter2")), {cause::secret_malformed}},

      {"no id", missing(&sent::id), {cause::headers_missing}},
      {"no timestamp", missing(&sent::timestamp), {cause::headers_missing}},
      {"no signature", missing(&sent::signature), {cause::headers_missing}},
      {"nothing", {"", "", "", "", ""}, {cause::headers_missing, cause::body_empty, cause::secret_malformed}},
      {"swapped", swapped, {cause::id_and_timestamp_swapped}},
      {"swapped and empty", swapped_and_empty, {cause::headers_missing}},
      {"milliseconds", milliseconds, {cause::timestamp_in_milliseconds}},
      {"no milliseconds", no_milliseconds, {cause::timestamp_malformed}},
      {"no seconds before the milliseconds", no_digits, {cause::timestamp_malformed}},
      {"microseconds", microseconds, {cause::timestamp_malformed}},
      {"hexadecimal", with_signature(good, zeros), {cause::signature_hexadecimal}},
      {"url-safe", with_signature(good, "v1," + url_safe(std::string(43, '/'))), {cause::signature_url_safe}},
      {"without version", with_signature(good, none.substr(3)), {cause::signature_without_version}},
      {"form-decoded signature",
       with_signature(good, replaced(none, "AA", "A ")),
       {cause::signature_form_decoded}},
      {"percent-encoded signature",
       with_signature(good, replaced(none, "=", "%3D")),
       {cause::signature_form_decoded}},
      {"well-formed, next to hexadecimal", with_signature(good, none + " " + zeros), {cause::unknown}},
      {"hexadecimal, then well-formed", with_signature(good, zeros + " " + none), {cause::unknown}},
      {"another version", with_signature(good, "v2" + good.signature.substr(2)), {cause::unknown}},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    const auto findings = findings_of(row.request);
    check_findings(findings, row.expected, false);
    for (const auto& finding : findings) {
      if (!row.request.secret.empty()) CHECK_FALSE(has_a_part_of(finding.what, row.request.secret));
    }
  }
}

TEST_CASE("findings give the exact values") {
  const auto what_of = [](const sent& request) { return findings_of(request).front().what; };
  const auto good_at = [](std::int64_t at) { return signed_request(body, key, std::to_string(at)); };
  const auto clock = [](const std::string& off, const std::string& zone = "") {
    return "The signature is right, and it was made " + off + " the time of the check; the tolerance is 300 s." +
           zone;
  };
  const auto zone = [](const std::string& hours) {
    return " That is " + hours + ", as a wrong time zone would have it.";
  };
  const std::string malformed = "The webhook-timestamp is not in whole seconds since 1970";
  const auto with_timestamp = [](const std::string& text) {
    auto request = signed_request();
    request.timestamp = text;
    return request;
  };
  const struct {
    sent request;
    std::string what;
  } rows[] = {
      {good_at(seconds - 301), clock("301 s (5 min) before")},
      {good_at(seconds + 599), clock("599 s (9 min) after")},
      {good_at(seconds - 3300), clock("3300 s (55 min) before", zone("1 hour"))},
      {good_at(seconds - 3299), clock("3299 s (54 min) before")},
      {good_at(seconds + 7200), clock("7200 s (2 h) after", zone("2 hours"))},
      {good_at(seconds + 14 * 3600 + 300), clock("50700 s (14 h 5 min) after", zone("14 hours"))},
      {good_at(seconds + 15 * 3600), clock("54000 s (15 h) after")},
      {good_at(seconds - 93784), clock("93784 s (1 d 2 h) before")},
      {{secret, "", timestamp, body, ""}, "Absent or empty: webhook-id, webhook-signature."},
      {with_secret(signed_request(body, "x"), "whsec_AAAA"),
       "The verifier refuses the secret: webhook secret: its key is too short: 3 of the usual 32 bytes; at least "
       "16 "
       "are needed."},
      {{secret, "a.b", timestamp, body, signature(key, "a.b", timestamp, body)},
       "The signature is right, but the verifier refuses the webhook-id header: there is a dot in it."},
      {signed_request(body, key, "0" + timestamp), malformed + ": it starts with a zero. The signature is right."},
      {with_timestamp("1773568800000000"), malformed + ": it has too many digits, as microseconds do."},
      {with_timestamp("1773568800.25"), malformed + ": it has a fraction."},
      {with_timestamp("2026-03-15T10:00:00.5+01:00"), malformed + ": it looks like a date."},
      {with_timestamp("now"), malformed + "."},
  };
  for (const auto& row : rows) {
    INFO(row.what);
    CHECK(what_of(row.request) == row.what);
  }
}

TEST_CASE("lookalikes in a range of headers are found") {
  using list = std::vector<std::pair<std::string, std::string>>;
  const auto good = signed_request();
  const auto named = [&good](const std::string& prefix) {
    return list{{"Host", "example.com"},
                {prefix + "ID", " " + good.id + " "},
                {prefix + "Timestamp", good.timestamp},
                {prefix + "SIGNATURE", good.signature}};
  };
  const struct {
    list headers;
    std::set<cause> expected;
    bool proven;
  } rows[] = {
      {named("Webhook-"), {cause::verified}, true},
      {named("svix-"), {cause::other_header_names}, true},
      {named("X-Svix-"), {cause::other_header_names}, true},
      {named("X-Webhook-"), {cause::other_header_names}, true},
      {named("HTTP_WEBHOOK_"), {cause::other_header_names}, true},
      {named("webhook_"), {cause::other_header_names}, true},
      {{{"webhook-id", good.id}, {"webhook-timestamp", timestamp}, {"svix-signature", good.signature}},
       {cause::other_header_names},
       true},
      {{{"webhook-id", good.id}, {"webhook-timestamp", timestamp}, {"x-signature", good.signature}},
       {cause::other_header_names},
       true},
      {{{"webhook-id", good.id}, {"webhook-timestamp", timestamp}, {"x-hub-signature-256", "sha256=00"}},
       {cause::other_header_names, cause::headers_missing},
       false},
      {{{"webhook_id", good.id}, {"http_webhook_timestamp", timestamp}},
       {cause::other_header_names, cause::headers_missing},
       false},
      {{{"webhook-id", good.id},
        {"webhook-timestamp", timestamp},
        {"webhook-signature", "v1,x"},
        {"svix-id", "1"}},
       {cause::unknown},
       false},
      {{{"host", "example.com"}}, {cause::headers_missing}, false},
      {{}, {cause::headers_missing}, false},
      {{{"webhook-id", "1"}, {"webhook-id", "2"}}, {cause::unknown}, false},
  };
  for (const auto& row : rows) {
    INFO(row.headers.size());
    check_findings(diagnose(secret, body, row.headers, now), row.expected, row.proven);
    const std::multimap<std::string, std::string> map(row.headers.begin(), row.headers.end());
    check_findings(diagnose(secret, body, map, now), row.expected, row.proven);
  }
  CHECK(diagnose(secret, body, list{{"webhook-id", "1"}, {"webhook-id", "2"}}, now)[0].what ==
        "The verifier refuses the headers: webhook-id header: duplicated, with different values.");
  CHECK(diagnose(secret, body, list{{"X-Svix-Id", "1"}}, now)[1].what ==
        "There is x-svix-id, which Standard Webhooks does not use.");
}

TEST_CASE("a body whose length differs from its Content-Length is reported with both numbers") {
  using list = std::vector<std::pair<std::string, std::string>>;
  const auto good = signed_request();
  const auto findings_with = [&good](const std::string& length, const std::string& text) {
    const list headers{{"Content-length", length},
                       {"webhook-id", good.id},
                       {"webhook-timestamp", good.timestamp},
                       {"webhook-signature", good.signature}};
    return diagnose(secret, text, headers, now);
  };
  const auto length = std::to_string(body.size());
  check_findings(findings_with(length, body), {cause::verified}, true);
  check_findings(findings_with("1", body), {cause::verified}, true);
  check_findings(findings_with(length, body + "\n"), {cause::body_newline}, true);
  check_findings(findings_with(length, body.substr(1)), {cause::body_length}, false);
  check_findings(findings_with(length, body + body), {cause::body_length}, false);
  check_findings(findings_with(length, ""), {cause::body_length, cause::body_empty}, false);
  for (const auto& none : {"4", "", "x", "-1", "4, 4", "99999999999999999999"}) {
    INFO(none);
    check_findings(findings_with(none, "{  }"), {cause::unknown}, false);
  }
  CHECK(findings_with(" 305 ", "{}")[0].what == "The body has 2 bytes, and its Content-Length is 305.");
}

TEST_CASE("two causes at once are found, in either order") {
  struct spoiler {
    cause its_cause;
    std::function<void(sent&)> spoil;
  };
  const auto in_body = [](std::string (*write)(const std::string&)) {
    return [write](sent& request) { request.body = write(request.body); };
  };
  const auto in_signature = [](std::string (*write)(const std::string&)) {
    return [write](sent& request) { request.signature = write(request.signature); };
  };
  const spoiler spoilers[] = {
      {cause::body_base64, in_body(base64)},
      {cause::body_json_string, in_body([](const std::string& text) { return json_string(text); })},
      {cause::body_nul, in_body([](const std::string& text) { return text + "\0\0"s; })},
      {cause::body_newline, in_body([](const std::string& text) { return text + "\n"; })},
      {cause::body_line_endings, in_body([](const std::string& text) { return replaced(text, "\n", "\r\n"); })},
      {cause::body_byte_order_mark, in_body([](const std::string& text) { return "\xef\xbb\xbf" + text; })},
      {cause::body_charset, in_body([](const std::string& text) { return replaced(text, "é", "Ã©"); })},
      {cause::body_percent_encoded, in_body(percent_encoded)},
      {cause::body_reserialized,
       in_body([](const std::string& text) { return text[0] == '{' ? replaced(text, "\n  ", "\n    ") : text; })},
      {cause::secret_encoded_twice, [](sent& request) { request.secret = base64(request.secret); }},
      {cause::secret_decorated, [](sent& request) { request.secret += "\n"; }},
      {cause::secret_url_safe, [](sent& request) { request.secret = url_safe(request.secret); }},
      {cause::signature_form_decoded,
       in_signature([](const std::string& text) { return replaced(text, "+", " "); })},
      {cause::signature_url_safe, in_signature([](const std::string& text) { return url_safe(text); })},
      {cause::signature_without_version,
       in_signature([](const std::string& text) { return text.substr(0, 3) == "v1," ? text.substr(3) : text; })},
      {cause::id_and_timestamp_swapped, [](sent& request) { std::swap(request.id, request.timestamp); }},
      {cause::timestamp_in_milliseconds, [](sent& request) { request.timestamp += "123"; }},
  };
  const std::set added{cause::body_base64, cause::body_json_string, cause::body_nul, cause::secret_encoded_twice,
                       cause::signature_form_decoded};
  const auto good = request_with_plus_and_slash([](const std::string& number) {
    return signed_request("{\n  \"a\": " + number + ",\n  \"b\": \"+ / é\"\n}", plus_key, timestamp, plus_secret);
  });
  REQUIRE(good.secret.find('+') != std::string::npos);
  int pairs = 0;
  for (const auto& first : spoilers) {
    for (const auto& second : spoilers) {
      if (first.its_cause == second.its_cause || added.count(first.its_cause) + added.count(second.its_cause) == 0)
        continue;
      auto request = good;
      first.spoil(request);
      const auto before = request;
      second.spoil(request);
      INFO(first.its_cause << ", then " << second.its_cause);
      const bool changes =
          std::tie(before.secret, before.id, before.timestamp, before.body, before.signature) !=
          std::tie(request.secret, request.id, request.timestamp, request.body, request.signature);
      // A newline after base64 or a JSON string is harmless.
      const bool is_allowed =
          second.its_cause == cause::body_newline &&
          (first.its_cause == cause::body_base64 || first.its_cause == cause::body_json_string);
      std::set expected{first.its_cause};
      if (changes && !is_allowed) expected.insert(second.its_cause);
      pairs += static_cast<int>(expected.size()) - 1;
      check_findings(findings_of(request), expected, true);
      const std::set expected_late = [expected] {
        auto causes = expected;
        causes.insert(cause::clock);
        return causes;
      }();
      check_findings(findings_of(request, now + std::chrono::hours(2)), expected_late, true);
    }
  }
  CHECK(pairs > 100);
}

TEST_CASE("each cause has a name") {
  const std::string_view names[] = {"verified",
                                    "unknown",
                                    "body_empty",
                                    "body_newline",
                                    "body_line_endings",
                                    "body_byte_order_mark",
                                    "body_reserialized",
                                    "body_percent_encoded",
                                    "body_compressed",
                                    "secret_malformed",
                                    "secret_decorated",
                                    "secret_used_as_text",
                                    "secret_url_safe",
                                    "headers_missing",
                                    "other_header_names",
                                    "id_and_timestamp_swapped",
                                    "timestamp_in_milliseconds",
                                    "clock",
                                    "signature_hexadecimal",
                                    "signature_url_safe",
                                    "signature_without_version",
                                    "body_base64",
                                    "body_json_string",
                                    "body_nul",
                                    "body_length",
                                    "secret_encoded_twice",
                                    "timestamp_malformed",
                                    "signature_form_decoded",
                                    "body_charset"};
  int value = 0;
  for (const auto name : names) CHECK(to_string(static_cast<cause>(value++)) == name);
  CHECK(to_string(static_cast<cause>(value)) == "unknown");
  static_assert(to_string(cause::body_charset) == "body_charset");
}

TEST_CASE("headers may be a lookup function, whose exceptions propagate") {
  const auto good = signed_request();
  const std::map<std::string, std::string> headers{
      {"webhook-id", good.id}, {"webhook-timestamp", good.timestamp}, {"webhook-signature", good.signature}};
  const auto look_up = [&headers](const char* name) { return headers.at(name); };
  check_findings(diagnose(secret, body, look_up, now), {cause::verified}, true);
  check_findings(diagnose(
                     secret, body, [](const char*) { return nullptr; }, now),
                 {cause::headers_missing}, false);
  check_findings(diagnose(secret, body, {good.id, good.timestamp, good.signature}, now), {cause::verified}, true);
  check_findings(diagnose(
                     secret, body,
                     [&headers, calls = 0](const char* name) mutable {
                       CHECK(++calls <= 3);
                       return headers.at(name);
                     },
                     now),
                 {cause::verified}, true);
  const auto throws = [](const char*) -> const char* { throw std::domain_error("no"); };
  CHECK_THROWS_AS(diagnose(secret, body, throws), std::domain_error);
  const auto throws_ours = [](const char*) -> const char* { throw WebhookVerificationError(); };
  CHECK_THROWS_AS(diagnose(secret, body, throws_ours), WebhookVerificationError);
}

TEST_CASE("none of ten thousand random requests verifies, and no cause is proven") {
  std::mt19937 random(1);
  const auto pick = [&random](std::size_t below) { return static_cast<std::size_t>(random() % below); };
  const auto bytes = [&](std::size_t size, std::string_view alphabet) {
    std::string text;
    while (text.size() < size) text += alphabet[pick(alphabet.size())];
    return text;
  };
  constexpr std::string_view base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::string_view json = "{}[]\",:\\/ \n\r+%ae1=\xc3\xa9\x80";
  const std::string bodies[] = {body, "{\"a\": [1, 2]}\n", "{\"a\":1}", ""};
  for (int i = 0; i < 10'000; ++i) {
    sent request;
    request.secret = (pick(2) ? "whsec_" : "") + bytes(pick(4) ? 43 : pick(60), base64) + (pick(2) ? "=" : "");
    request.id = pick(8) ? bytes(1 + pick(20), base64) : std::to_string(seconds);
    request.timestamp = pick(8) ? std::to_string(seconds - 600 + static_cast<std::int64_t>(pick(1200)))
                                : bytes(pick(14), "0123456789");
    request.body = pick(2) ? bodies[pick(4)] : bytes(pick(40), json);
    const std::string digest = pick(2) ? bytes(43, base64) + "=" : bytes(64, "0123456789abcdef");
    request.signature = (pick(3) ? "v1," : "") + digest + (pick(2) ? "" : " v1," + bytes(43, base64) + "=");
    INFO(request.secret << "|" << request.id << "|" << request.timestamp << "|" << request.body << "|"
                        << request.signature);
    const auto findings = findings_of(request);
    REQUIRE_FALSE(findings.empty());
    for (const auto& finding : findings) {
      REQUIRE_FALSE(finding.proven);
      REQUIRE(finding.cause != cause::verified);
      REQUIRE_FALSE(has_a_part_of(finding.what, request.signature));
    }
  }
}
