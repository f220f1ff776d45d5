// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <trawl/arrow_c.h>
#include <trawl/entry_table.h>
#include <trawl/error.h>
#include <trawl/events.h>
#include <trawl/file_list.h>
#include <trawl/path_filter.h>
#include <trawl/pattern.h>
#include <trawl/predicate.h>
#include <trawl/profile.h>
#include <trawl/stat.h>
#include <trawl/tracked_paths.h>
#include <trawl/types.h>
#include <trawl/usage.h>
#include <trawl/version.h>
#include <trawl/walk.h>
