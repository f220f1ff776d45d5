# SPDX-License-Identifier: Apache-2.0
"""What the Python package's tests share.

`engine`   "python" and "native" in turn, to be given as `implementation`.
`tree`     a small tree with names and types of all kinds.
`locked`   a tree with a directory that can't be read, also when root runs the tests.

After each test no thread of the package's may be left.
"""

import contextlib
import os
import shutil
import tempfile
import threading
import time

import pytest

import trawl

BIG = "/usr"  # many entries, which nobody changes


@pytest.fixture(params=["python", "native"])
def engine(request):
    if request.param == "native" and not trawl.is_native_available():
        pytest.skip("the native module is not built")
    return request.param


def own_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("trawl-")]


def wait_for(condition, seconds=2.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.002)
    return condition()


def kernel_threads():
    return len(os.listdir("/proc/self/task"))


@pytest.fixture(autouse=True)
def nothing_left():
    yield
    assert wait_for(lambda: not own_threads()), own_threads()


@pytest.fixture
def tree(tmp_path):
    """14 entries below it: 5 directories, 6 files, 2 links, 1 pipe."""
    root = tmp_path / "tree"
    (root / "a" / "deep" / "er").mkdir(parents=True)
    (root / "b").mkdir()
    (root / "empty").mkdir()
    (root / "top.txt").write_bytes(b"12345")
    (root / "a" / "x.c").write_bytes(b"x" * 1000)
    (root / "a" / "x.o").write_bytes(b"y" * 2000)
    (root / "a" / "deep" / "er" / "bottom.TXT").write_bytes(b"")
    (root / "b" / "-dash and\nnewline").write_bytes(b"1")
    with open(os.fsencode(root) + b"/b/latin\xe9.txt", "wb") as file:
        file.write(b"22")
    (root / "b" / "to_a").symlink_to("../a")
    (root / "b" / "broken").symlink_to("nowhere")
    os.mkfifo(root / "a" / "pipe")
    return root


def entries(root, directories=True, follow=False):
    """Paths below a root, as strings, by os.scandir."""
    found = []
    for entry in os.scandir(root):
        is_dir = entry.is_dir(follow_symlinks=follow)
        if directories or not is_dir:
            found.append(entry.path)
        if is_dir:
            found += entries(entry.path, directories, follow)
    return found


@contextlib.contextmanager
def as_nobody():
    """Without root's right to read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def locked():
    """`open/file`, `shut` with mode 0; walk it inside of as_nobody()."""
    root = tempfile.mkdtemp(prefix="trawl-")
    os.chmod(root, 0o755)
    os.mkdir(os.path.join(root, "open"))
    with open(os.path.join(root, "open", "file"), "w"):
        pass
    os.mkdir(os.path.join(root, "shut"), 0)
    yield root
    shutil.rmtree(root)
