// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <trawl/error.h>
#include <trawl/types.h>
#include <trawl/usage.h>
#include <trawl/version.h>
#include <trawl/walk.h>
