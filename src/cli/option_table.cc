// SPDX-License-Identifier: Apache-2.0
#include "cli/option_table.h"

namespace trawl::cli {

namespace {

constexpr std::size_t kTextColumn = 25;  // of what options do

// "  -c, --format=FORMAT"
std::string option_text(const Option& option) {
  std::string text;
  const auto add = [&text](std::string_view spelling) {
    text += text.empty() ? "" : ", ";
    text += spelling;
  };
  bool has_letter = false;
  each_letter(option, [&](char letter) {
    add(std::string{'-', letter});
    has_letter = true;
  });
  each_name(option, [&](const char* name) { add("--" + std::string(name)); });
  const bool has_name = option.names[0] != nullptr;
  switch (option.argument) {
    case Argument::none:
      break;
    case Argument::required:
      text += std::string(has_name ? "=" : " ") + option.word;
      break;
    case Argument::optional:
      text += std::string(has_name ? "[=" : "[") + option.word + ']';
      break;
  }
  return (has_letter ? "  " : "      ") + text;
}

// Appends `text` in lines of `columns`, of which the first is begun.
void fill(std::string& out, std::string_view text, std::size_t columns) {
  std::size_t column = kTextColumn;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (column > kTextColumn) {
      if (column + 1 + word.size() > columns) {
        out += '\n' + std::string(kTextColumn, ' ');
        column = kTextColumn;
      } else {
        out += ' ';
        ++column;
      }
    }
    out += word;
    column += word.size();
  }
}

}  // namespace

std::string help_text(const Command& command, std::string_view program,
                      std::string_view more_usage) {
  std::string out;
  for (std::string_view rest = command.usage; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    out += out.empty() ? "Usage: " : "  or:  ";
    out.append(program).append(" ").append(line) += '\n';
  }
  out.append(more_usage).append(command.before) += '\n';
  const char* heading = nullptr;
  for (const Option& option : command.options) {
    if (option.help == nullptr) {
      continue;
    }
    const char* title = command.sections[option.section].help_title;
    if (title != nullptr && title != heading) {
      out.append("\n").append(title) += ":\n";
      heading = title;
    }
    const std::string text = option_text(option);
    out += text;
    out += text.size() < kTextColumn ? std::string(kTextColumn - text.size(), ' ')
                                     : '\n' + std::string(kTextColumn, ' ');
    fill(out, option.help, command.columns);
    out += '\n';
  }
  return out += command.after;
}

}  // namespace trawl::cli
