// SPDX-License-Identifier: Apache-2.0
#include "match/pattern_sequence.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

namespace trawl::match {

namespace {

constexpr std::size_t kMaxPlaces = 64;

// Sets that take more are no use for looking ahead.
constexpr int kRare = 16;

bool is_all_but_slash(const CharSet& set) {
  CharSet with = set;
  with.add('/');
  return !set.has_ascii('/') && with.is_all();
}

// The parts of a sequence, those of sequences in it among them.
void flatten(const Node& node, std::vector<const Node*>& out) {
  if (node.kind == Node::kSequence) {
    for (const Node& child : node.children) {
      flatten(child, out);
    }
  } else if (node.kind == Node::kRepeat && node.least == node.most && node.most <= kMaxPlaces &&
             node.children[0].kind == Node::kSet) {
    out.insert(out.end(), node.least, node.children.data());
  } else {
    out.push_back(&node);
  }
}

}  // namespace

class Sequence::Builder {
 public:
  void add(const CharSet& set) {
    if (const auto c = set.single(); c && *c < kInvalid) {
      std::string bytes;
      encode(*c, bytes);
      for (const char byte : bytes) {
        sets_.emplace_back(1, static_cast<std::uint8_t>(byte));
      }
      return;
    }
    std::vector<std::uint8_t> bytes;
    for (std::uint8_t c = 0; c < 128; ++c) {
      if (set.has_ascii(c)) {
        bytes.push_back(c);
      }
    }
    sets_.push_back(std::move(bytes));
    exact_ &= set.ascii_only();
  }

  std::optional<Sequence> build(Around before, Around after) const {
    Sequence made;
    made.before_ = before;
    made.after_ = after;
    made.exact_ = exact_;
    made.size_ = sets_.size();
    made.is_literal_ =
        std::all_of(sets_.begin(), sets_.end(), [](const auto& set) { return set.size() == 1; });
    if (made.is_literal_) {
      for (const auto& set : sets_) {
        made.literal_ += static_cast<char>(set[0]);
      }
    }
    if (sets_.size() <= kMaxPlaces) {
      for (std::size_t i = 0; i < sets_.size(); ++i) {
        for (const std::uint8_t byte : sets_[i]) {
          made.places_[byte] |= std::uint64_t{1} << (sets_.size() - 1 - i);
        }
      }
    } else if (!made.is_literal_) {
      return std::nullopt;
    }
    made.choose_pair();
    return made;
  }

  std::size_t size() const { return sets_.size(); }
  bool may_contain(std::uint8_t byte) const {
    return std::any_of(sets_.begin(), sets_.end(), [byte](const auto& set) {
      return std::find(set.begin(), set.end(), byte) != set.end();
    });
  }

 private:
  std::vector<std::vector<std::uint8_t>> sets_;
  bool exact_ = true;
};

std::optional<Sequence> Sequence::whole(const Node& root) {
  std::vector<const Node*> parts;
  flatten(root, parts);
  auto first = parts.begin();
  auto last = parts.end();
  // What may stand at one end: nothing after kBegin or kEnd, or what a repetition there takes.
  const auto around = [&first, &last](bool at_begin, Node::Kind limit) {
    const auto outer = [&] { return at_begin ? *first : *(last - 1); };
    const auto drop = [&] { at_begin ? ++first : --last; };
    Around found = Around::anything;
    if (first != last && outer()->kind == limit) {
      found = Around::nothing;
      drop();
    }
    if (first != last && outer()->kind == Node::kRepeat && outer()->least == 0 &&
        outer()->most == Node::kUnlimited && outer()->children[0].kind == Node::kSet) {
      const CharSet& set = outer()->children[0].set;
      if (set.is_all()) {
        found = Around::anything;
        drop();
      } else if (is_all_but_slash(set)) {
        found = found == Around::nothing ? Around::no_slash : found;
        drop();
      }
    }
    return found;
  };
  const Around before = around(true, Node::kBegin);
  const Around after = around(false, Node::kEnd);
  Builder builder;
  for (; first != last; ++first) {
    if ((*first)->kind != Node::kSet) {
      return std::nullopt;
    }
    builder.add((*first)->set);
  }
  const bool searched = before != Around::nothing && after != Around::nothing;
  if (searched && before != after) {
    return std::nullopt;
  }
  // Which occurrence has no slash beside it is then not known by looking for any.
  if (searched && before == Around::no_slash && builder.may_contain('/')) {
    return std::nullopt;
  }
  return builder.build(before, after);
}

std::optional<Sequence> Sequence::required(const Node& root) {
  std::vector<const Node*> parts;
  flatten(root, parts);
  const auto rare = [](const Node& part) {
    return part.kind == Node::kSet && part.set.ascii_count() <= kRare;
  };
  std::optional<Sequence> best;
  for (std::size_t i = 0; i < parts.size();) {
    Builder run;
    for (; i < parts.size() && rare(*parts[i]) && run.size() + 4 <= kMaxPlaces; ++i) {
      run.add(parts[i]->set);
    }
    if (run.size() > (best ? best->size_ : 1)) {
      best = run.build(Around::anything, Around::anything);
    }
    i += run.size() == 0 ? 1U : 0U;
  }
  return best;
}

bool Sequence::fits(const char* at) const {
  if (is_literal_) {
    return std::memcmp(at, literal_.data(), size_) == 0;
  }
  for (std::size_t i = 0; i < size_; ++i) {
    if ((places_[static_cast<std::uint8_t>(at[i])] >> (size_ - 1 - i) & 1) == 0) {
      return false;
    }
  }
  return true;
}

// The two neighbours that are the rarest in names: where they are found, the rest mostly is as
// well.
void Sequence::choose_pair() {
  if (std::endian::native != std::endian::little || size_ > kMaxPlaces) {
    return;
  }
  // What names of /usr consist of, the most frequent first.
  static constexpr std::string_view kFrequent = "e.tco_sipanlrgydm-uh1bz23fvxkw0j645897q+";
  const auto rank = [](const Wide& wide) {
    return std::min(kFrequent.find(static_cast<char>(wide.is & 0xFF)), kFrequent.size());
  };
  const auto wide_at = [this](std::size_t place) -> std::optional<Wide> {
    std::vector<std::uint64_t> members;
    for (std::uint64_t byte = 0; byte < 256; ++byte) {
      if ((places_[byte] >> (size_ - 1 - place) & 1) != 0) {
        members.push_back(byte);
      }
    }
    constexpr std::uint64_t kEach = 0x0101010101010101;
    if (members.size() == 1) {
      return Wide{members[0] * kEach, 0};
    }
    const bool both_cases = members.size() == 2 && members[0] >= 'A' && members[0] <= 'Z' &&
                            members[1] == (members[0] | 0x20);
    return both_cases ? std::optional(Wide{members[1] * kEach, 0x20 * kEach}) : std::nullopt;
  };
  std::size_t best = 0;
  std::optional<Wide> first = size_ > 0 ? wide_at(0) : std::nullopt;
  for (std::size_t i = 1; i < size_; ++i) {
    const std::optional<Wide> second = wide_at(i);
    if (first && second && (!pair_ || rank(*first) + rank(*second) > best)) {
      best = rank(*first) + rank(*second);
      pair_ = Pair{i - 1, *first, *second};
    }
    first = second;
  }
}

bool Sequence::find(std::string_view text) const {
  if (size_ == 0) {
    return true;
  }
  if (size_ > kMaxPlaces) {
    return memmem(text.data(), text.size(), literal_.data(), size_) != nullptr;
  }
  return pair_ && text.size() > 8 ? find_pair(text) : find_backwards(text);
}

bool Sequence::find_pair(std::string_view text) const {
  const auto word_at = [&text](std::size_t at) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    return word;
  };
  // The high bit of each byte that is the character; of some above such a one, too.
  const auto hits = [](std::uint64_t word, const Wide& wide) {
    const std::uint64_t different = (word | wide.ignored) ^ wide.is;
    return (different - 0x0101010101010101) & ~different & 0x8080808080808080;
  };
  const std::size_t last = pair_->offset + text.size() - size_;  // where the pair may be
  std::size_t tries = 0;
  for (std::size_t at = pair_->offset; at <= last; at += 8) {
    at = std::min(at, text.size() - 9);
    for (std::uint64_t both =
             hits(word_at(at), pair_->first) & hits(word_at(at + 1), pair_->second);
         both != 0; both &= both - 1) {
      const std::size_t place = at + static_cast<std::size_t>(std::countr_zero(both)) / 8;
      if (place < pair_->offset || place > last) {
        continue;
      }
      const std::size_t begin = place - pair_->offset;
      if (fits(text.data() + begin)) {
        return true;
      }
      if (++tries * size_ > 2 * text.size() + 128) {
        return find_slowly(text.substr(begin));
      }
    }
  }
  return false;
}

bool Sequence::find_backwards(std::string_view text) const {
  const std::uint64_t first = std::uint64_t{1} << (size_ - 1);
  const std::uint64_t all = first | (first - 1);
  // Read twice as often as it is long, the text is of the kind that skipping does not help with.
  std::size_t budget = 2 * text.size() + 16;
  for (std::size_t begin = 0; begin + size_ <= text.size();) {
    // What is read backwards from the window's end, as long as it stands somewhere in the run;
    // `skip`: to the last place where that was how the run begins.
    std::size_t left = size_;
    std::size_t skip = size_;
    std::uint64_t seen = all;
    do {
      --left;
      seen &= places_[static_cast<std::uint8_t>(text[begin + left])];
      if ((seen & first) != 0) {
        if (left == 0) {
          return true;
        }
        skip = left;
      }
      seen = (seen << 1) & all;
    } while (seen != 0 && left > 0);
    begin += skip;
    const std::size_t read = size_ - left;
    if (read > budget) {
      return begin < text.size() && find_slowly(text.substr(begin));
    }
    budget -= read;
  }
  return false;
}

// Each byte once.
bool Sequence::find_slowly(std::string_view text) const {
  const std::uint64_t first = std::uint64_t{1} << (size_ - 1);
  std::uint64_t seen = 0;
  for (const char c : text) {
    seen = ((seen >> 1) | first) & places_[static_cast<std::uint8_t>(c)];
    if ((seen & 1) != 0) {
      return true;
    }
  }
  return false;
}

bool Sequence::search(std::string_view text) const {
  if (text.size() < size_) {
    return false;
  }
  const std::size_t more = text.size() - size_;
  const auto no_slash = [](const char* at, std::size_t size) {
    return size == 0 || std::memchr(at, '/', size) == nullptr;
  };
  if (before_ == Around::nothing) {
    return (more == 0 || after_ != Around::nothing) && fits(text.data()) &&
           (after_ != Around::no_slash || no_slash(text.data() + size_, more));
  }
  if (after_ == Around::nothing) {
    return fits(text.data() + more) && (before_ != Around::no_slash || no_slash(text.data(), more));
  }
  return (before_ != Around::no_slash || no_slash(text.data(), text.size())) && find(text);
}

}  // namespace trawl::match
