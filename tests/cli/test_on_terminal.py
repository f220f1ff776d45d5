# SPDX-License-Identifier: Apache-2.0
"""What a person sees where standard output and standard error are one terminal."""

import json
import os
import re

import pytest

from cli.on_terminal import on_terminal

ROOT = "/usr/share"


class Screen:
    """As much of a terminal as is needed here: rows, their width, carriage return, erase to the end."""

    def __init__(self, columns):
        self.columns = columns
        self.rows = [""]
        self.column = 0
        self.drawn = 0  # progress lines

    def feed(self, text):
        for piece in re.findall(r"\x1b\[\d*[A-Za-z]|[\r\n]|[^\x1b\r\n]+", text):
            if piece == "\n":
                self.rows.append("")
            elif piece == "\r":
                self.column = 0
            elif piece == "\x1b[K":
                self.drawn += " entries" in self.rows[-1][: self.column]
                self.rows[-1] = self.rows[-1][: self.column]
            else:
                self.write(piece)

    def write(self, text):
        while text:
            if self.column == self.columns:
                self.rows.append("")
                self.column = 0
            part = text[: self.columns - self.column]
            text = text[len(part):]
            row = self.rows[-1]
            self.rows[-1] = row[: self.column].ljust(self.column) + part + row[self.column + len(part):]
            self.column += len(part)


@pytest.fixture
def show(trawl_path):
    """Runs a command on a terminal of so many columns. Returns the screen and the exit status."""

    def show(*arguments, columns=200, rows=40):
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TERM": "xterm", "LS_COLORS": ""}
        out, status = on_terminal([trawl_path, *arguments], environment, (rows, columns))
        screen = Screen(columns)
        screen.feed(out.decode())
        return screen, status

    return show


def long_enough(show, *arguments, **size):
    """The same with so many patterns to compare with that progress is shown."""
    for times in (20, 200, 2000):
        patterns = [f"--exclude=*nothing{i}*" for i in range(times)]
        screen, status = show(*arguments, "--threads=1", *patterns, ROOT, **size)
        if screen.drawn > 2:
            return screen, status
    pytest.skip("the walk was over before progress was shown")


def test_lines_do_not_run_into_progress(show):
    screen, _ = long_enough(show, "du", "-d1")
    assert screen.rows.pop() == ""
    lines = [row for row in screen.rows if not row.startswith("trawl du: ")]
    for line in lines:
        assert re.fullmatch(r"\d+\t/usr/share(/[^/]*)?", line), line
    assert lines[-1].endswith(ROOT)


def test_json_does_not_run_into_progress(show):
    screen, _ = long_enough(show, "du", "-d1", "--json", columns=50_000)
    document = json.loads("\n".join(screen.rows))
    assert document["kind"] == "trawl.du"


def test_the_picture_does_not_run_into_progress(show):
    screen, _ = long_enough(show, "--color=never")
    assert re.match(r"\S+ 100%  /usr/share/ +█+$", screen.rows[0].strip()), screen.rows[0]
    assert not any("entries, " in row for row in screen.rows)


def test_progress_is_no_wider_than_the_terminal(show):
    for columns in (21, 42):
        screen, _ = long_enough(show, "du", "-s", columns=columns)
        assert re.fullmatch(r"\d+\t/usr/share", screen.rows[0]) and screen.rows[1:] == [""]


def test_names_that_end_in_nul_do_not_run_into_progress(show):
    patterns = [f"--exclude=*nothing{i}*" for i in range(20)]
    screen, _ = show("du", "-d1", "-0", "--threads=1", *patterns, ROOT, columns=50_000)
    lines = "".join(screen.rows).split("\0")
    assert lines.pop() == ""
    assert all(re.fullmatch(r"\d+\t/usr/share(/[^/]*)?", line) for line in lines)
    assert lines[-1].endswith(ROOT)
