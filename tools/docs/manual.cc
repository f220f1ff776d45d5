// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "docs.h"

namespace trawl::docs {

namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c == '-' ? "\\-" : c == '\\' ? "\\e" : std::string{c};
  }
  return out;
}
std::string bold(std::string_view text) { return "\\fB" + plain(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + plain(text) + "\\fR"; }

// Reads what Option::manual may have, from its first character to its last.
class Paragraph {
 public:
  Paragraph(std::string_view text, const Command& command, std::string_view word)
      : text_(text), command_(command), word_(word) {}

  std::string roff() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const bool begins = at_ == 0 || !is_word(text_[at_ - 1]);
      if (c == '`') {
        take_between('`', bold);
      } else if (c == '_' && begins) {
        take_between('_', italic);
      } else if (c == '"') {
        out_ += quote_open_ ? "\\(rq" : "\\(lq";
        quote_open_ = !quote_open_;
        ++at_;
      } else if (c == '-' && begins && at_ + 1 < text_.size() &&
                 (at_ == 0 || text_[at_ - 1] == ' ' || text_[at_ - 1] == '(') &&
                 (is_word(text_[at_ + 1]) || text_[at_ + 1] == '-')) {
        take(end_of([](char each) { return is_word(each) || each == '-' || each == '='; }), bold);
      } else if (is_word(c)) {
        take_word();
      } else {
        out_ += plain({&c, 1});
        ++at_;
      }
    }
    return out_;
  }

 private:
  template <typename Test>
  std::size_t end_of(const Test& test) const {
    return static_cast<std::size_t>(
        std::find_if_not(text_.begin() + static_cast<std::ptrdiff_t>(at_), text_.end(), test) -
        text_.begin());
  }

  void take(std::size_t end, std::string (*font)(std::string_view)) {
    out_ += font(text_.substr(at_, end - at_));
    at_ = end;
  }

  void take_between(char mark, std::string (*font)(std::string_view)) {
    const std::size_t end = text_.find(mark, at_ + 1);
    out_ += font(text_.substr(at_ + 1, end - at_ - 1));
    at_ = std::min(end, text_.size() - 1) + 1;
  }

  void take_word() {
    const std::size_t end = end_of(is_word);
    const std::size_t page_end = end_of([](char each) { return is_word(each) || each == '-'; });
    const std::string_view word = text_.substr(at_, end - at_);
    const std::string_view behind = text_.substr(page_end);
    if (behind.size() > 2 && behind[0] == '(' && behind[1] >= '1' && behind[1] <= '8' &&
        behind[2] == ')') {
      take(page_end, bold);
    } else if (word == word_ || word == command_.operand ||
               (command_.first_operand != nullptr && word == command_.first_operand)) {
      take(end, italic);
    } else {
      take(end, plain);
    }
  }

  std::string_view text_;
  const Command& command_;
  std::string_view word_;
  std::string out_;
  std::size_t at_ = 0;
  bool quote_open_ = false;
};

// A line a sentence, and none much longer than 100 columns.
std::string in_lines(const std::string& roff) {
  std::string out;
  std::size_t column = 0;
  for (const std::string& word : split(roff, ' ')) {
    if (column > 0) {
      const bool sentence = (out.ends_with('.') || out.ends_with(".)")) && word[0] >= 'A' &&
                            (word[0] <= 'Z' || word[0] == '\\');
      const bool breaks = sentence || column + word.size() + 1 > 100;
      out += breaks ? '\n' : ' ';
      column = breaks ? 0 : column + 1;
    }
    if (column == 0 && (word[0] == '.' || word[0] == '\'')) {
      out += "\\&";
    }
    out += word;
    column += word.size();
  }
  return out + '\n';
}

std::string text_of(const char* text, const Command& command, std::string_view word) {
  std::string out;
  for (const std::string& line : split(text, '\n')) {
    out += line.starts_with('.') ? line + '\n' : in_lines(Paragraph(line, command, word).roff());
  }
  return out;
}

std::string text_of(const Command& command, const Option& option) {
  if (option.manual != nullptr) {
    return text_of(option.manual, command, option.word);
  }
  std::string text = option.help;
  if (text[0] >= 'a' && text[0] <= 'z') {
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  }
  return text_of((text + '.').c_str(), command, option.word);
}

std::string tag(const Option& option) {
  std::string out;
  for (const std::string& spelling : spellings(option)) {
    const bool is_long = spelling.starts_with("--");
    out += out.empty() ? "" : ", ";
    switch (option.argument) {
      case Argument::none:
        out += bold(spelling);
        break;
      case Argument::required:
        out += bold(spelling + (is_long ? "=" : "")) + (is_long ? "" : " ") + italic(option.word);
        break;
      case Argument::optional:
        out += bold(spelling) + '[' + (is_long ? "=" : "") + italic(option.word) + ']';
        break;
    }
  }
  return out;
}

}  // namespace

std::string manual_options(const Command& command) {
  std::string out;
  for (std::size_t section = 0; section < command.sections.size(); ++section) {
    out.append(".SS ").append(command.sections[section].title) += '\n';
    if (const char* text = command.sections[section].manual) {
      out += text_of(text, command, "");
    }
    for (const Option* option : shown_options(command)) {
      if (option->section == section) {
        out += ".TP\n" + tag(*option) + '\n' + text_of(command, *option);
      }
    }
  }
  return out;
}

}  // namespace trawl::docs
