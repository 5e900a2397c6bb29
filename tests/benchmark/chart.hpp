// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <ios>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// A bar chart for the README.
namespace chart {

struct bar {
  std::string name;
  double value;
};

/// Writes the bars in the order of their values, as an SVG that can be read on light and on dark pages.
inline void write(const std::string& path, const std::string& title, std::vector<bar> bars) {
  std::sort(bars.begin(), bars.end(), [](const bar& a, const bar& b) { return a.value < b.value; });
  constexpr int names_width = 250;
  constexpr int bars_width = 360;
  constexpr int row_height = 24;
  const auto width = std::to_string(names_width + bars_width + 60);
  const auto height = std::to_string(40 + row_height * static_cast<int>(bars.size()));

  std::ofstream out(path);
  out << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << width << "\" height=\"" << height
      << "\" viewBox=\"0 0 " << width << ' ' << height << "\" role=\"img\" aria-label=\"" << title << "\">\n"
      << "<style>\n"
         "text { font: 13px system-ui, sans-serif; fill: #1f2328; }\n"
         "rect { fill: #8c959f; }\n"
         ".own { fill: #c15f3c; font-weight: bold; }\n"
         "@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } rect { fill: #6e7681; } "
         ".own { fill: #e8845f; } }\n"
         "</style>\n"
      << "<text x=\"0\" y=\"16\">" << title << "</text>\n";
  int y = 32;
  for (const auto& [name, value] : bars) {
    const auto* const style = name == "unwrap()" ? " class=\"own\"" : "";
    const int length = std::max(1, static_cast<int>(bars_width * value / bars.back().value));
    char label[16];
    std::snprintf(label, sizeof label, value < 10 ? "%.1f" : "%.0f", value);
    out << "<text x=\"" << names_width - 8 << "\" y=\"" << y + 13 << "\" text-anchor=\"end\"" << style << '>'
        << name << "</text><rect x=\"" << names_width << "\" y=\"" << y << "\" width=\"" << length
        << "\" height=\"18\"" << style << "/><text x=\"" << names_width + length + 6 << "\" y=\"" << y + 13 << "\""
        << style << '>' << label << "</text>\n";
    y += row_height;
  }
  out << "</svg>\n";
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace chart
