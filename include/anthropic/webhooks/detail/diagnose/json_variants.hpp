// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/diagnose/utf8.hpp>
#include <anthropic/webhooks/detail/diagnose/work_budget.hpp>
#include <anthropic/webhooks/detail/json_reader.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

/// What other serializers make of a JSON text. It knows nothing of webhooks.
namespace anthropic::webhooks::detail {

/// A JSON text that can be written in other ways. What nests deeper than 64 levels stays as it is.
class json_variants {
 public:
  explicit json_variants(std::string_view text);

  /// Calls visit(std::string) with each combination of whitespace, escapes and key order that differs from the
  /// text and from those before it, and is no longer than `max_size`. There are none if the text is not JSON.
  template <class F>
  void write_each(std::size_t max_size, work_budget& budget, F visit);

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
  /// What is escaped beyond what must be.
  enum escape : unsigned {
    none = 0,
    non_ascii = 1,
    slash = 2,
    html = 4,      // < > & and the line separators of JavaScript
    capitals = 8,  // in hexadecimal numbers
    as_received = 16
  };
  struct output {
    [[nodiscard]] bool has(json_variants::escape rule) const { return (escapes & rule) != 0; }
    void write(std::string_view piece) {
      fits = fits && piece.size() <= max_size - text.size();
      if (fits) text += piece;
    }
    void break_line(std::size_t margin) {
      if (with.indent == 0) return;
      fits = fits && margin < max_size - text.size();
      if (fits) text.append("\n").append(margin, ' ');
    }

    const layout& with;
    unsigned escapes;
    std::size_t max_size;
    std::string& text;
    bool fits = true;
  };

  static constexpr std::array<layout, 4> layouts{{{",", ":", 0}, {", ", ": ", 0}, {",", ": ", 2}, {",", ": ", 4}}};
  static constexpr std::array<unsigned, 7> escape_rules{
      as_received,
      none,
      slash,                 // PHP, with JSON_UNESCAPED_UNICODE
      non_ascii,             // Python
      non_ascii | slash,     // PHP
      non_ascii | capitals,  // RapidJSON, .NET
      html,                  // Go
  };

  const char* read(json_reader& json, const char* at, std::size_t levels, node& into);
  bool next_key_order();
  static void sort(node& root);
  static void move_to_front(node& root, std::string_view key);
  static void write_node(const node& from, std::size_t margin, output& out);
  static void write_string(std::string_view quoted, output& out);
  static void write_character(std::string_view utf8, output& out);

  std::string_view text_, space_;  // the space is that after the value
  node root_;
  std::size_t nodes_ = 1, key_order_ = 0;
  bool is_json_ = false, has_escapes_ = false;
};

// ---------------------------------------------------------------------------------------------------

/// Whether any of the rules escapes a character, or it is the start of an escape.
constexpr bool may_be_escaped(char c) {
  return c == '"' || c == '\\' || c == '/' || c == '<' || c == '>' || c == '&' ||
         static_cast<unsigned char>(c) >= 0x80 || static_cast<unsigned char>(c) < ' ';
}

inline json_variants::json_variants(std::string_view text) : text_(text) {
  constexpr std::size_t max_levels = 64;
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
  read(json, begin, max_levels, root_);
}

/// Reads the value at `at` of a valid text, and returns the position after it.
inline const char* json_variants::read(json_reader& json, const char* at, std::size_t levels, node& into) {
  bool has_escapes = false;
  const bool is_object = *at == '{';
  if (levels == 0 || (!is_object && *at != '[')) {
    json_type type{};
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
      at = json.skip_string(key, has_escapes);
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
  // Duplicate keys keep their order, which is that of their addresses in the text.
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

/// The key orders are that of the text, the alphabet, and then "id" first, and "type" before it: the last two are
/// those of the service and its SDKs. Returns false after the last.
inline bool json_variants::next_key_order() {
  switch (++key_order_) {
    case 1: sort(root_); return true;
    case 2: move_to_front(root_, "id"); return true;
    case 3: move_to_front(root_, "type"); return true;
    default: return false;
  }
}

template <class F>
void json_variants::write_each(std::size_t max_size, work_budget& budget, F visit) {
  if (!is_json_ || !budget.spend(nodes_ * sizeof(node))) return;
  const auto hash = std::hash<std::string_view>();
  std::unordered_set<std::size_t> seen{hash(text_)};
  std::string text;
  do {
    for (const unsigned escapes : escape_rules) {
      for (const auto& with : layouts) {
        text.clear();
        output out{with, escapes, (std::min)(max_size, budget.left()), text};
        write_node(root_, 0, out);
        out.write(space_);
        if (!budget.spend((std::max)(text.size(), text_.size()))) return;
        if (out.fits && seen.insert(hash(text)).second) visit(text);
      }
      if (!has_escapes_) break;
    }
  } while (next_key_order());
}

inline void json_variants::write_node(const node& from, std::size_t margin, output& out) {
  if (from.text[0] == '"') {
    write_string(from.text, out);
    return;
  }
  out.write(from.text);
  if (from.text != "{" && from.text != "[") return;
  std::string_view comma;
  for (const auto& member : from.members) {
    if (!out.fits) return;
    out.write(std::exchange(comma, out.with.comma));
    out.break_line(margin + out.with.indent);
    if (from.text == "{") {
      write_string({member.key.data() - 1, member.key.size() + 2}, out);
      out.write(out.with.colon);
    }
    write_node(member, margin + out.with.indent, out);
  }
  if (!from.members.empty()) out.break_line(margin);
  out.write(from.text == "{" ? "}" : "]");
}

inline void json_variants::write_string(std::string_view quoted, output& out) {
  if (out.has(as_received)) {
    out.write(quoted);
    return;
  }
  out.write("\"");
  auto rest = quoted.substr(1, quoted.size() - 2);
  while (!rest.empty() && out.fits) {
    const auto* const special = std::find_if(rest.data(), rest.data() + rest.size(), may_be_escaped);
    out.write(rest.substr(0, static_cast<std::size_t>(special - rest.data())));
    rest.remove_prefix(static_cast<std::size_t>(special - rest.data()));
    if (rest.empty()) break;
    const auto escape = unicode_escape_at(rest);
    const auto size = escape.size > 0 ? escape.size : rest[0] == '\\' ? 2 : size_of_character(rest[0]);
    if (is_surrogate(escape.code_point)) {  // which is alone, and has no UTF-8
      out.write(rest.substr(0, size));
    } else {
      std::string utf8;
      append_unescaped(rest.substr(0, size), utf8);
      write_character(utf8, out);
    }
    rest.remove_prefix(size);
  }
  out.write("\"");
}

/// Writes a character that some serializers escape.
inline void json_variants::write_character(std::string_view utf8, output& out) {
  const auto write_unit = [&](std::uint32_t unit) {
    const char* const digits = out.has(capitals) ? "0123456789ABCDEF" : "0123456789abcdef";
    const std::array escape{
        '\\', 'u', digits[unit >> 12], digits[unit >> 8 & 15], digits[unit >> 4 & 15], digits[unit & 15]};
    out.write({escape.data(), escape.size()});
  };
  const auto code_point = code_point_of(utf8);
  constexpr std::string_view named = "\"\\\b\f\n\r\t", names = "\"\\bfnrt";
  const auto name = named.find(utf8);
  const bool is_html = utf8 == "<" || utf8 == ">" || utf8 == "&" || code_point == 0x2028 || code_point == 0x2029;
  if (name != std::string_view::npos) {
    out.write("\\");
    out.write(names.substr(name, 1));
  } else if (utf8 == "/" && out.has(slash)) {
    out.write("\\/");
  } else if (code_point >= 0x10000 && out.has(non_ascii)) {
    write_unit(0xD800 + ((code_point - 0x10000) >> 10));
    write_unit(0xDC00 + (code_point & 0x3FF));
  } else if (code_point < ' ' || (code_point >= 0x80 && out.has(non_ascii)) || (is_html && out.has(html))) {
    write_unit(code_point);
  } else {
    out.write(utf8);
  }
}

}  // namespace anthropic::webhooks::detail
