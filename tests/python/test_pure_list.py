# SPDX-License-Identifier: Apache-2.0
"""The pure engine's lists against `trawl list --order`, and against sorting by the definition."""

import os
import subprocess

import pytest
from pure_trees import Tree, seeds, trawl_command

from trawl import _pure as pure

ORDERS = ["component", "bytes", "rsync", "rsync28"]
# Bytes around '/', names that are beginnings of others: what sorts badly.
BAD = [b"a", b"a-", b"a.", b"a0", b"a!", b"-", b".", b"!", b"0", b"\xff", b"\x01", b"a\xff", b"\xc3\xa9", b".a", b"-b"]


@pytest.fixture(params=seeds(25))
def tree(request, tmp_path):
    tree = Tree(request.param, os.fsencode(tmp_path) + b"/tree")
    for _ in range(60):
        path = os.path.join(tree.rng.choice(tree.directories), tree.rng.choice(BAD))
        if len(path) < 3000 and not os.path.lexists(path):
            if tree.rng.random() < 0.5:
                os.mkdir(path)
                tree.directories.append(path)
            else:
                open(path, "wb").close()
    return tree


def by_definition(top, order):
    """Paths in an order, from its text in trawl/file_list.h."""
    found = [(b"", True)]
    for path, directories, files in os.walk(top):
        for name in directories + files:
            full = os.path.join(path, name)
            found.append((full[len(top) + 1 :], os.path.isdir(full) and not os.path.islink(full)))

    def key(item):
        path, is_directory = item
        parts = path.split(b"/") if path else []
        if order == "component":
            return parts
        if order == "bytes":
            return path
        if order == "rsync28":
            return path or b"."
        # Directories behind what is none, as if their names ended in '/'.
        directories = [(1, part + b"/") for part in parts[:-1]]
        last = [(1, parts[-1] + b"/") if is_directory else (0, parts[-1])] if parts else []
        return directories + last

    return [top + b"/" + path if path else top for path, _ in sorted(found, key=key)]


@pytest.mark.parametrize("order", ORDERS)
def test_definition(tree, order):
    table = pure.list_table(tree.top, order=order)
    assert table.path_bytes() == by_definition(tree.top, order)
    assert pure.list_table(tree.top, order=order, include_root=False).path_bytes() == [
        path for path in table.path_bytes() if path != tree.top
    ]


@pytest.mark.parametrize("order", ORDERS)
def test_as_the_command(tree, order):
    options = tree.rng.choice([{}, {"max_depth": 1}, {"follow": 2}, {"follow": 2, "max_depth": 3}])
    arguments = [trawl_command(), "list", "-0", f"--order={order}", "--threads=2"]
    if "max_depth" in options:
        arguments.append(f"--max-depth={options['max_depth']}")
    if "follow" in options:
        arguments.append("-L")
    done = subprocess.run([*arguments, tree.top], capture_output=True, timeout=60)
    assert pure.list_table(tree.top, order=order, **options).path_bytes() == done.stdout.split(b"\0")[:-1]
