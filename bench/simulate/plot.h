// SPDX-License-Identifier: Apache-2.0
//
// Speed-up over cores as an SVG, both axes logarithmic.
#pragma once

#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace trawl::simulate {

struct Curve {
  std::string tree;
  std::string contention;
  bool pinned = false;
  std::vector<std::pair<unsigned, double>> points;  // cores, speed-up

  std::string label() const {
    return tree + (contention == "linear" ? "" : ", contention: " + contention) +
           (pinned ? ", fixed threads" : "");
  }
};

class Plot {
 public:
  std::string draw(const std::vector<Curve>& curves) {
    line(
        R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 520" font-family="sans-serif" font-size="13">)");
    line(R"(<rect width="860" height="520" fill="#fff"/>)");
    for (int power = 0; power <= 8; ++power) {
      const double at = std::exp2(power);
      const std::string label = std::to_string(1 << power);
      segment(x(at), y(1), x(at), y(256), "#ddd");
      segment(x(1), y(at), x(256), y(at), "#ddd");
      text(x(at), y(1) + 20, "middle", label);
      text(x(1) - 8, y(at) + 4, "end", label);
    }
    text(x(16), y(1) + 42, "middle", "cores");
    text(x(1) - 8, y(256) - 14, "middle", "speed-up");
    segment(x(1), y(1), x(256), y(256), "#999");
    segment(x(1.1), y(1), x(256), y(0.9 * 256), "#999", "4 4");
    text(x(256) + 12, y(256) + 4, "start", "linear; dashed: 90 % of it");
    static const char* const kColours[] = {"#0b6bcb", "#c0392b", "#1e8449", "#8e44ad", "#d68910",
                                           "#566573", "#17a2b8", "#e91e63", "#795548", "#000"};
    int number = 0;
    for (const Curve& curve : curves) {
      const char* const colour = kColours[number % 10];
      std::string points;
      for (const auto& [cores, speed_up] : curve.points) {
        points += format("%.1f,%.1f ", x(cores), y(speed_up));
      }
      line("<polyline fill=\"none\" stroke-width=\"2\" stroke=\"" + std::string(colour) + "\"" +
           (curve.contention == "linear" && !curve.pinned ? "" : " stroke-dasharray=\"7 3\"") +
           " points=\"" + points + "\"/>");
      const double at = 62 + 22 * number;
      segment(x(256) + 12, at - 4, x(256) + 36, at - 4, colour);
      text(x(256) + 42, at, "start", curve.label() + format(" (%.1f)", curve.points.back().second));
      ++number;
    }
    text(x(256) + 12, 62 + 22 * number + 8.0, "start", "in brackets: with 256 cores");
    line("</svg>");
    return out_;
  }

 private:
  static double x(double cores) { return 60 + 480 * std::log2(cores) / 8; }
  static double y(double speed_up) {
    return 460 - 420 * std::log2(speed_up < 1 ? 1 : speed_up) / 8;
  }
  [[gnu::format(printf, 1, 2)]] static std::string format(const char* pattern, ...) {
    char buffer[256];
    va_list values;
    va_start(values, pattern);
    std::vsnprintf(buffer, sizeof buffer, pattern, values);
    va_end(values);
    return buffer;
  }
  void line(const std::string& text) { out_ += text + '\n'; }
  void segment(double x1, double y1, double x2, double y2, const char* colour,
               const char* dashes = "") {
    line(
        format("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" "
               "stroke-dasharray=\"%s\"/>",
               x1, y1, x2, y2, colour, *dashes == '\0' ? "none" : dashes));
  }
  void text(double at_x, double at_y, const char* anchor, const std::string& what) {
    line(format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", at_x, at_y, anchor) + what +
         "</text>");
  }

  std::string out_;
};

inline std::string plot(const std::vector<Curve>& curves) { return Plot().draw(curves); }

}  // namespace trawl::simulate
