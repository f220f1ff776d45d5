# SPDX-License-Identifier: Apache-2.0
"""Random trees with random command lines, against GNU du.

A seed is "HOME:NUMBER": the filesystem that the tree stands on and a number; it decides the tree and
all command lines. They count from 1, so that a run judges the change alone; TRAWL_SEED=random (and the
soak) begin anywhere. To repeat one:
    TRAWL_SEED=tmpfs:1234 pytest tests/differential/test_du_random.py
Seeds that once failed belong into seeds.txt, which is replayed first. TRAWL_ROUNDS is the number of
trees (default 150) over all filesystems; ./dev soak takes 4000.
"""

import os
import pathlib
import random
import time

import pytest

from differential.du import THREADS
from differential.options import CommandLine
from differential.sandbox import Sandbox, Unavailable
from differential.tree import Tree, listing

SEEDS = pathlib.Path(__file__).with_name("seeds.txt")
COMMANDS_PER_TREE = 14
# Trees on each filesystem, in parts of all.
SHARES = {"host": 3, "tmpfs": 4, "ext4": 2, "xfs": 2, "btrfs": 2, "overlay": 2}


def run_seed(tools, box, seed):
    """Builds the tree of a seed and runs its command lines; returns how many."""
    home, _ = seed.split(":")
    rng = random.Random(seed)
    work = os.path.join(box.path, b"work")
    tree = Tree(rng, os.path.join(box.home(home), b"tree"), box)
    os.makedirs(work, exist_ok=True)
    done = 0
    try:
        tree.build()
        for _ in range(COMMANDS_PER_TREE):
            invocation = CommandLine(rng, tree, work).invocation()
            try:
                tools.check_quickly(invocation, rng.sample(THREADS, len(THREADS)))
            except Exception as error:
                # The tree is gone when people read this.
                raise AssertionError(f"TRAWL_SEED={seed}\n{error}\n{listing(tree.top)[:20000]}") from error
            done += 1
    finally:
        tree.remove()
        box.remove(work)
    return done


def kept_seeds():
    lines = (line.split("#")[0].strip() for line in SEEDS.read_text().splitlines())
    return [line for line in lines if line]


@pytest.mark.parametrize("seed", kept_seeds())
def test_seed_that_failed_once(tools, sandbox, seed):
    try:
        run_seed(tools, sandbox, seed)
    except Unavailable as error:
        pytest.skip(str(error))


def run_rounds(tools, sandbox, home, rounds, first):
    try:
        sandbox.home(home)
    except Unavailable as error:
        pytest.skip(str(error))
    begun = time.monotonic()
    commands = sum(run_seed(tools, sandbox, f"{home}:{first + i}") for i in range(rounds))
    print(f"{home}:{first} and up: {rounds} trees, {commands} command lines, {time.monotonic() - begun:.1f} s")


def by_chance():
    return random.SystemRandom().randrange(10**9)


def rounds_of(home, total):
    return max(1, total * SHARES[home] // sum(SHARES.values()))


@pytest.mark.parametrize("home", Sandbox.HOMES)
def test_random(tools, sandbox, home):
    rounds = rounds_of(home, int(os.environ.get("TRAWL_ROUNDS", 150)))
    seed = os.environ.get("TRAWL_SEED")
    if seed is None:
        run_rounds(tools, sandbox, home, rounds, 1)  # the same each time: a change is judged by itself
    elif seed == "random":
        run_rounds(tools, sandbox, home, rounds, by_chance())
    elif seed.startswith(home + ":"):
        run_seed(tools, sandbox, seed)
    else:
        pytest.skip("another filesystem's seed is asked for")


@pytest.mark.soak
@pytest.mark.parametrize("home", Sandbox.HOMES)
def test_random_soak(tools, sandbox, home):
    run_rounds(tools, sandbox, home, rounds_of(home, int(os.environ.get("TRAWL_ROUNDS", 4000))), by_chance())
