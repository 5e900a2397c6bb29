// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/json_reader.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What other serialisers make of a JSON text. It knows nothing of webhooks.
namespace anthropic::webhooks::detail {

/// A JSON text, which can be written again in each combination of layout, escapes and key order.
class json_variants {
 public:
  /// What nests deeper than 64 levels stays as it is.
  explicit json_variants(std::string_view text);

  [[nodiscard]] bool is_json() const { return is_json_; }
  /// The memory that it takes beside the text.
  [[nodiscard]] std::size_t size_in_memory() const { return nodes_ * sizeof(node); }
  /// The indexes of the variants go up to this. Some of them may be the same.
  [[nodiscard]] std::size_t count() const;
  /// Writes a variant, with the whitespace after the text as it was. Returns false where it would be longer than
  /// `most`. The indexes have to ascend from call to call.
  bool write(std::size_t index, std::size_t most, std::string& out);

 private:
  struct node {
    std::string_view key;   // between its quotes
    std::string_view text;  // of an object or array only the bracket
    std::vector<node> members;
  };
  struct layout {
    std::string_view comma, colon;
    std::size_t indent;  // 0 for all in one line
  };
  struct escapes {
    bool as_received, ascii, upper, slash, html;
  };
  struct output {
    const layout& with;
    const escapes& escaped;
    std::size_t most;
    std::string& text;  // never longer than that
    bool fits = true;

    void write(std::string_view piece) {
      fits = fits && piece.size() <= most - text.size();
      if (fits) text += piece;
    }
    void write_line(std::size_t its_indent) {
      fits = fits && its_indent < most - text.size();
      if (fits) text.append("\n").append(its_indent, ' ');
    }
  };

  static constexpr std::array<layout, 4> layouts{{{",", ":", 0}, {", ", ": ", 0}, {",", ": ", 2}, {",", ": ", 4}}};
  static constexpr std::array<escapes, 7> escape_rules{{
      {true, false, false, false, false},   // such as the sender has
      {false, false, false, false, false},  // only what must be
      {false, false, false, true, false},   // PHP, with Unicode as it is
      {false, true, false, false, false},   // Python
      {false, true, false, true, false},    // PHP
      {false, true, true, false, false},    // RapidJSON, .NET
      {false, false, false, false, true},   // Go
  }};
  /// Members are as received, then sorted, then each of these comes first. The last two orders are those in which
  /// the service and its SDKs write an event.
  static constexpr std::array<std::string_view, 2> first_keys{"id", "type"};

  const char* read(json_reader& json, const char* at, std::size_t levels, node& into);
  static void sort(node& root);
  static void move_to_front(node& root, std::string_view key);
  static void write_node(const node& from, std::size_t margin, output& out);
  static void write_string(std::string_view quoted, output& out);
  static void write_character(std::string_view utf8, output& out);

  node root_;
  std::size_t nodes_ = 1, order_ = 0;
  std::string_view space_;  // after the text
  bool is_json_ = false, has_escapes_ = false;
};

// ---------------------------------------------------------------------------------------------------

/// Whether any of the rules escapes a character, or it is the start of an escape.
constexpr bool may_be_escaped(char c) {
  return c == '"' || c == '\\' || c == '/' || c == '<' || c == '>' || c == '&' ||
         static_cast<unsigned char>(c) >= 0x80 || static_cast<unsigned char>(c) < ' ';
}

/// The size of a valid escape. A surrogate pair counts as one.
inline std::size_t size_of_escape(const char* escape) {
  if (escape[1] != 'u') return 2;
  return is_high_surrogate(hex_digit(escape[2]) << 12 | hex_digit(escape[3]) << 8) ? 12 : 6;
}

inline json_variants::json_variants(std::string_view text) {
  constexpr std::size_t most_levels = 64;
  json_reader json(text);
  json_type type{};
  const char* const begin = json.skip_space(json.end() - text.size());
  const char* const end = json.skip_value(begin, type);
  is_json_ = json.skip_space(end) == json.end() && !json.failed();
  if (!is_json_) return;
  space_ = {end, static_cast<std::size_t>(json.end() - end)};
  has_escapes_ = std::any_of(text.begin(), text.end(), [](char c) {
    return may_be_escaped(c) && c != '"' && static_cast<unsigned char>(c) > ' ';  // those are in any JSON
  });
  read(json, begin, most_levels, root_);
}

/// Reads the value at `at` of a valid text, and returns the position behind it.
inline const char* json_variants::read(json_reader& json, const char* at, std::size_t levels, node& into) {
  json_type type{};
  const bool is_object = *at == '{';
  if (levels == 0 || (!is_object && *at != '[')) {
    const char* const end = json.skip_value(at, type);
    into.text = {at, static_cast<std::size_t>(end - at)};
    return end;
  }
  into.text = {at, 1};
  at = json.skip_space(at + 1);
  while (*at != '}' && *at != ']') {
    auto& member = into.members.emplace_back();
    ++nodes_;
    if (is_object) {
      const char* const key = at + 1;
      at = json.skip_string(key, type);
      member.key = {key, static_cast<std::size_t>(at - 1 - key)};
      at = json.skip_space(json.skip(":", json.skip_space(at)));
    }
    at = json.skip_space(read(json, at, levels - 1, member));
    if (*at == ',') at = json.skip_space(at + 1);
  }
  return at + 1;
}

inline void json_variants::sort(node& root) {
  for (auto& member : root.members) sort(member);
  if (root.text != "{") return;
  // Members of the same key stay in the order of the text, in which their keys stand.
  std::sort(root.members.begin(), root.members.end(), [](const node& a, const node& b) {
    const int order = a.key.compare(b.key);
    return order != 0 ? order < 0 : a.key.data() < b.key.data();
  });
}

inline void json_variants::move_to_front(node& root, std::string_view key) {
  auto& members = root.members;
  for (auto& member : members) move_to_front(member, key);
  const auto found =
      std::find_if(members.begin(), members.end(), [key](const node& member) { return member.key == key; });
  if (root.text == "{" && found != members.end()) std::rotate(members.begin(), found, found + 1);
}

inline std::size_t json_variants::count() const {
  return (2 + first_keys.size()) * (has_escapes_ ? escape_rules.size() : 1) * layouts.size();
}

inline bool json_variants::write(std::size_t index, std::size_t most, std::string& out) {
  const auto& with = layouts[index % layouts.size()];
  index /= layouts.size();
  const std::size_t rules = has_escapes_ ? escape_rules.size() : 1;
  for (; order_ < index / rules; ++order_) {
    if (order_ == 0) {
      sort(root_);
    } else {
      move_to_front(root_, first_keys[order_ - 1]);
    }
  }
  output result{with, escape_rules[index % rules], most, out};
  write_node(root_, 0, result);
  result.write(space_);
  return result.fits;
}

inline void json_variants::write_node(const node& from, std::size_t margin, output& out) {
  if (from.text[0] == '"') {
    write_string(from.text, out);
    return;
  }
  out.write(from.text);
  if (from.text != "{" && from.text != "[") return;
  const auto new_line = [&out](std::size_t indent) {
    if (out.with.indent > 0) out.write_line(indent);
  };
  std::string_view comma;
  for (const auto& member : from.members) {
    if (!out.fits) return;
    out.write(std::exchange(comma, out.with.comma));
    new_line(margin + out.with.indent);
    if (from.text == "{") {
      write_string({member.key.data() - 1, member.key.size() + 2}, out);
      out.write(out.with.colon);
    }
    write_node(member, margin + out.with.indent, out);
  }
  if (!from.members.empty()) new_line(margin);
  out.write(from.text == "{" ? "}" : "]");
}

inline void json_variants::write_string(std::string_view quoted, output& out) {
  if (out.escaped.as_received) {
    out.write(quoted);
    return;
  }
  std::size_t begin = 0, at = 1;  // what is between them is written as it is
  while (at + 1 < quoted.size() && out.fits) {
    const auto lead = static_cast<unsigned char>(quoted[at]);
    if (!may_be_escaped(quoted[at])) {
      ++at;
      continue;
    }
    out.write(quoted.substr(begin, at - begin));
    if (lead == '\\') {
      const auto escape = quoted.substr(at, size_of_escape(quoted.data() + at));
      std::array<char, 4> utf8;
      const char* const end = unescape(escape, utf8.data());
      write_character({utf8.data(), static_cast<std::size_t>(end - utf8.data())}, out);
      at += escape.size();
    } else {
      const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
      write_character(quoted.substr(at, size), out);
      at += size;
    }
    begin = at;
  }
  out.write(quoted.substr(begin));
}

/// Writes a character that some escape.
inline void json_variants::write_character(std::string_view utf8, output& out) {
  const auto write_unit = [&out](std::uint32_t unit) {
    const char* const digits = out.escaped.upper ? "0123456789ABCDEF" : "0123456789abcdef";
    const std::array escape{
        '\\', 'u', digits[unit >> 12], digits[unit >> 8 & 15], digits[unit >> 4 & 15], digits[unit & 15]};
    out.write({escape.data(), escape.size()});
  };
  const auto lead = static_cast<unsigned char>(utf8[0]);
  std::uint32_t code_point = utf8.size() == 1 ? lead : lead & (0x7FU >> utf8.size());
  for (const char c : utf8.substr(1)) code_point = code_point << 6 | (static_cast<unsigned char>(c) & 0x3F);

  constexpr std::string_view named = "\"\\\b\f\n\r\t", names = "\"\\bfnrt";
  const auto name = code_point < 0x80 ? named.find(utf8[0]) : std::string_view::npos;
  const bool is_html = lead == '<' || lead == '>' || lead == '&' || code_point == 0x2028 || code_point == 0x2029;
  if (name != std::string_view::npos) {
    out.write("\\");
    out.write(names.substr(name, 1));
  } else if (lead == '/' && out.escaped.slash) {
    out.write("\\/");
  } else if (code_point >= 0x10000 && out.escaped.ascii) {
    write_unit(0xD800 + ((code_point - 0x10000) >> 10));
    write_unit(0xDC00 + (code_point & 0x3FF));
  } else if (lead < ' ' || (code_point >= 0x80 && out.escaped.ascii) || (is_html && out.escaped.html)) {
    write_unit(code_point);
  } else {
    out.write(utf8);
  }
}

}  // namespace anthropic::webhooks::detail
