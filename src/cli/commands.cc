// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

#include "cli/du.h"
#include "cli/du_options.h"
#include "cli/find.h"
#include "cli/find_options.h"
#include "cli/ignored.h"
#include "cli/ignored_options.h"
#include "cli/list.h"
#include "cli/list_options.h"
#include "cli/picture.h"
#include "cli/picture_options.h"
#include "cli/profile.h"
#include "cli/profile_options.h"
#include "cli/stat.h"
#include "cli/stat_options.h"

namespace trawl::cli {

namespace {

constexpr CommandEntry kSubcommands[] = {
    {&kDuCommand, du_main},     {&kFindCommand, find_main},       {&kIgnoredCommand, ignored_main},
    {&kListCommand, list_main}, {&kProfileCommand, profile_main}, {&kStatCommand, stat_main},
};

}  // namespace

CommandEntry picture_command() { return {&kPictureCommand, picture_main}; }

std::span<const CommandEntry> subcommands() { return kSubcommands; }

}  // namespace trawl::cli
