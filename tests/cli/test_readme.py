# SPDX-License-Identifier: Apache-2.0
"""The README shows the program that is compiled (tests/install), and names only files that exist."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text()


def test_example_is_the_compiled_one():
    shown = re.search(r"```cpp\n(.*?)```", TEXT, re.S)[1]
    assert shown == (ROOT / "tests/install/examples/extensions.cc").read_text()
    assert len(shown.splitlines()) < 40


def test_files_exist():
    for name in re.findall(r"`((?:docs|include|bench|src)/[\w./-]+|[A-Z]+\.md)`", TEXT):
        assert (ROOT / name).exists(), name
