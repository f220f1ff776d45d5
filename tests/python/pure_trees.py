# SPDX-License-Identifier: Apache-2.0
"""Random hostile trees for the tests of the Python engines, from a seed, and what else they share.

TRAWL_SEED=N repeats one; TRAWL_ROUNDS is how many there are for each test. A test that fails shows
its seed among its parameters.
"""

import os
import pathlib
import random
import shutil
import socket
import stat
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
for _path in (ROOT / "tests", ROOT / "python"):
    if str(_path) not in sys.path:
        sys.path.insert(0, str(_path))

from differential.tree import ODD_NAMES, ODD_TIMES  # noqa: E402

NAMES = [
    b"a", b"a-", b"a.txt", b"a.TXT", b"A.Txt", b"b", b"b.tar.gz", b"c.", b".d", b".d.py", b"e.py", b"E.PY", b"f.\xc3\x89",
    b"f.\xc3\xa9", b"g.\xff", b"h.\xc4\xb0", b"i.\xce\xa3", b"src", b"lib", b"node_modules", b"a0", b"a!", b"..e", b"...",
]  # fmt: skip


def seeds(default):
    if os.environ.get("TRAWL_SEED"):
        return [int(os.environ["TRAWL_SEED"])]
    return range(1, 1 + int(os.environ.get("TRAWL_ROUNDS", default)))


def trawl_command():
    """The command, as tests/conftest.py finds it; skips where there is none."""
    candidates = [os.environ["TRAWL"]] if "TRAWL" in os.environ else []
    candidates += [str(ROOT / "build" / preset / "trawl") for preset in ("release", "dev", "room")]
    for candidate in candidates:
        if os.access(candidate, os.X_OK):
            return candidate
    pytest.skip("no trawl command")


def needs(program):
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"no {program}")


class Tree:
    """Entries of every type, odd names, hard links, links in circles, holes, odd times."""

    def __init__(self, seed, top, entries=None):
        self.rng = random.Random(seed)
        self.top = top
        self.directories = [top]
        self.files = []
        self.odd = self.rng.choice([0.0, 0.1, 0.5])
        rng = self.rng
        os.mkdir(top)
        if entries is None:
            entries = rng.choice([0, 1, 3, 20, 80, 200])
        for _ in range(entries):
            self.add()
        for _ in range(rng.choice([0, 3, 10]) if self.files else 0):
            self.link_hard()
        self.set_times()

    def name(self):
        return self.rng.choice(ODD_NAMES if self.rng.random() < self.odd else NAMES)

    def new_path(self):
        path = os.path.join(self.rng.choice(self.directories), self.name())
        return None if os.path.lexists(path) or len(path) > 3500 else path

    def add(self):
        rng = self.rng
        path = self.new_path()
        if path is None:
            return
        kind = rng.random()
        if kind < 0.3:
            os.mkdir(path)
            self.directories.append(path)
        elif kind < 0.38:
            targets = [b"nowhere", b".", b"..", b"/", path, os.path.basename(path), b"a.txt"]
            targets += [rng.choice(self.directories)] * 3
            targets += [rng.choice(self.files)] * 2 if self.files else []
            # Not out of the tree, which other tests walk with links followed.
            target = rng.choice([each for each in targets if each not in (b"/", b"..")])
            os.symlink(target, path)
        elif kind < 0.41:
            os.mkfifo(path)
        elif kind < 0.42 and len(path) < 100:
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(path)
        elif kind < 0.43 and os.geteuid() == 0:
            os.mknod(path, rng.choice([stat.S_IFCHR, stat.S_IFBLK]) | 0o600, os.makedev(7, 200))
        else:
            self.add_file(path)

    def add_file(self, path):
        rng = self.rng
        size = rng.choice([0, 0, 1, 2, 5, 100, 5000, 5000, 70000])
        with open(path, "wb") as file:
            file.write(b"x" * size)
            if rng.random() < 0.1:
                file.truncate(size + 1_000_000)
        if os.geteuid() == 0 and rng.random() < 0.2:
            os.chown(path, rng.choice([0, 1, 7, 4_000_000_000]), rng.choice([0, 5]))
        if rng.random() < 0.2:
            os.chmod(path, rng.choice([0o777, 0o4755, 0o1644, 0]))
        self.files.append(path)

    def link_hard(self):
        path = self.new_path()
        if path is not None:
            os.link(self.rng.choice(self.files), path)

    def set_times(self):
        rng = self.rng
        for path in self.files:
            if rng.random() < 0.4:
                times = (rng.choice(ODD_TIMES), rng.choice(ODD_TIMES))
                os.utime(path, ns=times)
            elif rng.random() < 0.5:
                os.utime(path, (1_600_000_000, 1_600_000_000 + rng.randrange(3)))


@pytest.fixture
def no_user_rules(monkeypatch, tmp_path):
    """No rules of whoever runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")


def below(root, names):
    """A chain of directories, of any length. Returns its path."""
    here = os.open(root, os.O_RDONLY)
    path = root
    for name in names:
        os.mkdir(name, dir_fd=here)
        inner = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
        path += b"/" + name
    with os.fdopen(os.open(b"file", os.O_CREAT | os.O_WRONLY, dir_fd=here), "wb") as file:
        file.write(b"x" * 5000)
    os.close(here)
    return path
