// SPDX-License-Identifier: Apache-2.0
//
// What the usage fold keeps of a directory between the worker that read it and the sequencer that
// counts it in serial order.
//
// Kept directories have a Record; deeper ones (below the last depth that is printed) are collapsed:
// their sums, links and errors go to the record of the nearest kept ancestor.
//   ordered record  its children are kept: `items` says in which order they, its links, its file lines
//                   and its errors come. Complete and sorted when the record is published.
//   bag record      everything below is charged to it, so order does not matter: `links` holds each
//                   identity once; errors, and operands that lie below, carry their place.
// Life: made at enter() by a worker, published to the sequencer through its parent's item (atomic),
// freed by the sequencer.
#pragma once

#include "base/fts_order.h"
#include "base/identity_set.h"

#include <trawl/usage.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trawl::fold {

// An entry of a directory that the sequencer has to look at by itself: its identity decides whether
// it counts, or it has a line.
struct FileItem {
  FileIdentity identity;
  UsageSums sums;
  std::string name;  // empty: no line
  FileType type = FileType::unknown;
  std::uint32_t mode = 0;
  bool check = false;  // count it only if its identity was not yet met
};

// Where something collapsed is: its entry in its directory's listing, that directory's in the one
// above, and so on; from the root down.
struct PlaceStep {
  std::uint64_t position = 0;
  std::uint64_t inode = 0;  // as listed
};
using Place = std::vector<PlaceStep>;

struct ErrorItem {
  UsageError::Kind kind = UsageError::Kind::access;
  int code = 0;
  std::string path;
  Place place;  // in a bag; else empty
};

struct Record;

struct Item {
  enum class Kind : std::uint8_t { directory, file, error };
  std::uint64_t position = 0;
  std::uint64_t inode = 0;  // as listed
  Record* child = nullptr;  // a directory's, once published; through std::atomic_ref
  std::uint32_t index = 0;  // of a file or an error in the record's vectors
  Kind kind = Kind::directory;
};

// What is collapsed into a record, by any worker.
struct Bag {
  std::mutex mutex;  // of the rest, until the record is complete
  base::IdentitySet seen;
  std::vector<std::pair<FileIdentity, UsageSums>> links;  // each identity once
  std::uint64_t repeated_links = 0;
  std::vector<ErrorItem> errors;
  std::vector<Record*> operands;  // collapsed directories that are themselves operands
  std::vector<std::pair<Place, base::FtsOrder>> by_inode;  // directories listed in such an order
  bool incomplete = false;

  // Puts errors and operands into serial order. Once, when the record is complete.
  void sort();
  bool is_before(const Place& a, const Place& b) const;
};

struct Record {
  std::string name;
  FileIdentity identity;
  std::uint32_t mode = 0;
  int depth = -1;
  // A directory that was entered or at least stat'ed: it has a size, and a line. Otherwise only its
  // error is of interest, or nothing.
  bool counted = false;

  // Ordered record: final when published.
  bool ordered = false;
  base::FtsOrder order;
  std::vector<Item> items;
  std::vector<FileItem> files;
  std::vector<ErrorItem> errors;
  // Bag record: final when complete.
  std::unique_ptr<Bag> bag;

  Place place;  // of an operand in a bag

  // Final when complete.
  UsageSums own;
  UsageSums sums;  // of itself, of entries that count for certain, of collapsed subdirectories
  int error = 0;
  State state = State::open;
  std::atomic<bool> complete{false};

  Record* next_to_free = nullptr;  // by free_records()

  // The item of the child at this place. `items` must be sorted and hold it.
  Item& item(std::uint64_t position, std::uint64_t inode);
};

// With all that is published below it. Allocates nothing: it is also called when memory has run out.
void free_records(Record* record);

}  // namespace trawl::fold
