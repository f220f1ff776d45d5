# SPDX-License-Identifier: Apache-2.0
"""trawl du where somebody works against it: limits, odd streams, trees that change under it."""

import hashlib
import os
import pathlib
import re
import resource
import signal
import stat
import subprocess
import threading
import time

import pytest

from differential.du import CLEAN, THREADS, Invocation
from differential.sandbox import NOBODY, Unavailable
from differential.tree import fill

# What GNU du says about entries that are gone, or that are something else by now.
GONE = rb"No such file or directory|Not a directory|Too many levels of symbolic links|Stale file handle"
COMPLAINT = re.compile(rb"du: cannot (access|read directory) .*: (" + GONE + rb")")


@pytest.fixture
def top(sandbox):
    with sandbox.directory("hostile") as path:
        yield path


def even_tree(top, depth=3, width=5, files=6):
    for i in range(files):
        fill(top / f"f{i}", 1000 * i)
    for i in range(width if depth > 0 else 0):
        even_tree(top / f"d{i}", depth - 1, width, files)


def chain(top, name, depth):
    """Directories one in the other, as deep as asked for; a file in each tenth."""
    at = os.open(top, os.O_DIRECTORY)
    for level in range(depth):
        os.mkdir(name, 0o755, dir_fd=at)
        below = os.open(name, os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
        os.close(at)
        at = below
        if level % 10 == 0:
            os.mknod("file", stat.S_IFREG | 0o644, dir_fd=at)
    os.close(at)


def run(tools, args, threads=None, timeout=30, **how):
    options = [] if threads is None else [f"--threads={threads}"]
    how.setdefault("stdin", subprocess.DEVNULL)
    how.setdefault("stdout", subprocess.PIPE)
    how.setdefault("stderr", subprocess.PIPE)
    return subprocess.run(["du", *options, *args], executable=tools.du, env=CLEAN, timeout=timeout, **how)


# --- deep -------------------------------------------------------------------------------------------


def test_sixty_levels_of_long_names(top, tools):
    chain(top, "n" * 200, 60)
    for args in ([], [b"-a"], [b"-s"], [b"-d10"], [b"-S", b"."], [b"-x", b"--inodes"]):
        tools.check(Invocation(args, cwd=os.fsencode(top)))


@pytest.mark.parametrize("threads", THREADS)
def test_ten_thousand_levels(top, tools, threads):
    chain(top, "d", 10_000)
    for args in (["-s"], ["--inodes", "-d100"], ["-a"]):
        digests = []
        for argv, tool in ((["du", *args], tools.oracle), (["du", f"--threads={threads}", *args], tools.du)):
            digest = hashlib.sha256()
            with subprocess.Popen(argv, executable=tool, cwd=top, env=CLEAN, stdout=subprocess.PIPE) as process:
                while piece := process.stdout.read(1 << 20):
                    digest.update(piece)
            digests.append((process.returncode, digest.hexdigest()))
        assert digests[0] == digests[1]


@pytest.mark.parametrize("limit", [64, 128])
def test_small_stack_deep_tree(top, tools, limit):
    chain(top, "d", 2_000)
    even_tree(top / "wide", depth=2)
    limits = {resource.RLIMIT_STACK: limit << 10}
    expected = tools.gnu(Invocation([], cwd=os.fsencode(top)))
    for threads in THREADS:
        assert tools.ours(Invocation([], cwd=os.fsencode(top), limits=limits), threads) == expected


# --- limits -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [5, 6, 8, 20])
def test_few_descriptors(top, tools, limit):
    chain(top, "n" * 200, 40)
    even_tree(top / "wide")
    expected = tools.gnu(Invocation([b"-a"], cwd=os.fsencode(top)))
    for threads in THREADS:
        invocation = Invocation([b"-a"], cwd=os.fsencode(top), limits={resource.RLIMIT_NOFILE: limit})
        outcome = tools.ours(invocation, threads)
        if limit >= 8:
            assert outcome == expected
        else:  # it may be too few; then that is said
            assert outcome == expected or (outcome.status == 1 and b"Too many open files" in outcome.err)


def test_no_more_threads(top, tools, sandbox):
    """Nobody may not start another thread: the first worker does it all."""
    if not sandbox.is_root:
        pytest.skip("needs a user without other processes: run as root")
    even_tree(top)
    expected = tools.gnu(Invocation([b"-a"], cwd=os.fsencode(top), user=NOBODY))
    for threads in THREADS:
        invocation = Invocation([b"-a"], cwd=os.fsencode(top), user=NOBODY, limits={resource.RLIMIT_NPROC: 1})
        assert tools.ours(invocation, threads) == expected


def test_little_memory(top, tools):
    """Out of memory is said, not crashed with."""
    for i in range(300):
        (top / f"d{i}").mkdir()
    for megabytes in (8, 16, 24, 32, 64):
        for threads in (1, 16):
            invocation = Invocation([b"-a"], cwd=os.fsencode(top), limits={resource.RLIMIT_AS: megabytes << 20})
            try:
                outcome = tools.ours(invocation, threads)
            except subprocess.SubprocessError:
                continue  # not even exec
            if outcome.status == 0:
                assert outcome == tools.gnu(Invocation([b"-a"], cwd=os.fsencode(top)))
            elif outcome.status == 127:
                assert b"libraries" in outcome.err  # the loader's word
            else:
                assert outcome.status == 1 and outcome.err, (megabytes, threads, outcome)


def test_descriptors_do_not_grow_with_the_tree(top, tools):
    """Each worker has a few open, however deep and wide the tree is, and none of those inherited."""
    chain(top, "n" * 100, 300)
    even_tree(top / "wide", depth=4, width=6)
    inherited = [os.open("/dev/null", os.O_RDONLY) for _ in range(20)]
    threads = 8
    most = 0
    for _ in range(5):
        with subprocess.Popen(["du", f"--threads={threads}"], executable=tools.du, cwd=top, env=CLEAN,
                              stdout=subprocess.DEVNULL, pass_fds=inherited) as process:  # fmt: skip
            while process.poll() is None:
                for task in pathlib.Path(f"/proc/{process.pid}/task").glob("*"):
                    try:
                        links = [os.readlink(fd) for fd in (task / "fd").iterdir()]
                    except OSError:
                        continue
                    most = max(most, sum(os.fsdecode(top) in link for link in links))
    for fd in inherited:
        os.close(fd)
    assert 0 < most <= 16


# --- streams ----------------------------------------------------------------------------------------


def both(tools, argv, timeout=30, **how):
    """Status and stderr of GNU du and of trawl by the name of du, with the same streams."""
    outcomes = []
    for tool in (tools.oracle, tools.du):
        how_now = {name: value() if callable(value) and name != "preexec_fn" else value for name, value in how.items()}
        done = subprocess.run(["du", *argv], executable=tool, env=CLEAN, stderr=subprocess.PIPE, timeout=timeout, **how_now)
        outcomes.append((done.returncode, done.stderr))
    return outcomes


@pytest.mark.parametrize("closed", [[1], [0], [0, 1], [0, 1, 2], [1, 2]])
@pytest.mark.parametrize("args", [["."], ["-s", "."], ["missing"], ["-t1T", "."], ["--bogus"], ["-a", ".", "missing"], ["--files0-from=-"], ["--help"]])
def test_closed_streams(top, tools, closed, args):
    even_tree(top, depth=1)

    def close():
        for fd in closed:
            os.close(fd)

    theirs, ours = both(tools, args, cwd=top, preexec_fn=close, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    if args == ["--help"]:
        assert theirs[0] == ours[0]
    else:
        assert theirs == ours
    assert sorted(p.name for p in top.iterdir()) == sorted([*(f"d{i}" for i in range(5)), *(f"f{i}" for i in range(6))])


@pytest.mark.parametrize("args", [["."], ["-s", "."], ["-a", "."], ["missing"], [".", "missing"], ["-t1T", "."], ["-c", "."], ["--version"]])
def test_full_device(top, tools, args):
    even_tree(top, depth=2)
    with open("/dev/full", "wb") as full:
        theirs, ours = both(tools, args, cwd=top, stdout=full)
    assert theirs == ours


@pytest.mark.parametrize("ignored", [False, True])
def test_closed_pipe(top, tools, ignored):
    """Killed by SIGPIPE, or an error where that is ignored, as GNU du."""
    even_tree(top, depth=4)

    def prepare():
        signal.signal(signal.SIGPIPE, signal.SIG_IGN if ignored else signal.SIG_DFL)

    outcomes = []
    for tool in (tools.oracle, tools.du):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(["du", "-a"], executable=tool, cwd=top, env=CLEAN, stdout=writer, stderr=subprocess.PIPE,
                              preexec_fn=prepare, restore_signals=False, timeout=30)  # fmt: skip
        os.close(writer)
        outcomes.append((done.returncode, done.stderr))
    assert outcomes[0] == outcomes[1]


def test_head_gets_its_lines_and_no_more_is_walked(top, tools):
    even_tree(top, depth=4)
    shell = f"{tools.du} -a --threads=16 {top} | head -n 3"
    done = subprocess.run(["bash", "-c", shell + "; echo ${PIPESTATUS[*]}"], capture_output=True, timeout=30)
    lines = done.stdout.splitlines()
    assert len(lines) == 4 and lines[3] in (b"141 0", b"0 0") and done.stderr == b""


# --- trees that change ------------------------------------------------------------------------------


def assert_sane(done, top):
    assert done.returncode in (0, 1), (done.returncode, done.stderr[-500:])
    for line in done.stdout.splitlines():
        assert re.fullmatch(rb"\d+\t.*", line), line
    complaints = done.stderr.splitlines()
    for line in complaints:
        assert COMPLAINT.fullmatch(line), line
    assert (done.returncode == 1) == bool(complaints)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("args", [["-a"], ["-s"], ["-L"]])
def test_tree_deleted_while_walked(top, tools, threads, args):
    for _ in range(3):
        even_tree(top / "tree", depth=4, width=4, files=3)
        remover = subprocess.Popen(["rm", "-rf", top / "tree"])
        done = run(tools, [*args, str(top / "tree")], threads)
        assert remover.wait(60) == 0
        assert_sane(done, top)


class Meddler:
    """Does something over and over while the block runs."""

    def __init__(self, act):
        self.act = act
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.rounds = 0

    def _run(self):
        while not self.stop.is_set():
            try:
                self.act()
            except OSError:
                pass
            self.rounds += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


@pytest.mark.parametrize("threads", THREADS)
def test_directory_renamed_into_its_former_childs_place(top, tools, threads):
    """a/b becomes the upper one and a the lower, and back, all the time."""
    even_tree(top / "a/b/c", depth=2, width=4)
    even_tree(top / "other", depth=2, width=3)

    def swap():
        os.rename(top / "a/b", top / "x")
        os.rename(top / "a", top / "x/b")
        os.rename(top / "x", top / "a")
        # Now a is what was b, with c in it, and b is what was a.
        os.rename(top / "a/b", top / "x")
        os.rename(top / "a", top / "x/b")
        os.rename(top / "x", top / "a")

    objects = 1 + sum(len(d) + len(f) for _, d, f in os.walk(top))
    with Meddler(swap) as meddler:
        for _ in range(60):
            done = run(tools, ["--inodes", str(top)], threads, timeout=10)
            assert_sane(done, top)
            total = int(done.stdout.splitlines()[-1].split(b"\t")[0])
            assert total <= 3 * objects
    assert meddler.rounds > 10


@pytest.mark.parametrize("threads", THREADS)
def test_directory_exchanged_for_a_link(top, tools, threads):
    """Nothing outside is ever reached through a link that takes a directory's place."""
    even_tree(top / "secret/sub", depth=1)
    for i in range(40):
        fill(top / f"tree/d{i}/sub/f")
    os.symlink(top / "secret", top / "link")
    libc = __import__("ctypes").CDLL(None)

    def exchange():
        for i in range(40):  # RENAME_EXCHANGE
            libc.renameat2(-100, os.fsencode(top / f"tree/d{i}"), -100, os.fsencode(top / "link"), 2)
            libc.renameat2(-100, os.fsencode(top / f"tree/d{i}"), -100, os.fsencode(top / "link"), 2)

    with Meddler(exchange) as meddler:
        for _ in range(60):
            done = run(tools, ["-a", str(top / "tree")], threads, timeout=10)
            assert_sane(done, top)
            assert b"/sub/f0" not in done.stdout and b"/d3/f0" not in done.stdout
    assert meddler.rounds > 2


@pytest.mark.parametrize("threads", THREADS)
def test_files_come_and_go(top, tools, threads):
    even_tree(top / "still", depth=3, width=3)
    numbers = iter(range(10**9))

    def churn():
        number = next(numbers)
        fill(top / f"busy/d{number % 50}/f{number}", number % 3000)
        if number >= 100:
            os.unlink(top / f"busy/d{(number - 100) % 50}/f{number - 100}")

    with Meddler(churn):
        for _ in range(30):
            done = run(tools, ["-a", "still", "busy"], threads, timeout=10, cwd=top)
            if b"busy" in done.stdout:
                assert_sane(done, top)
    expected = tools.gnu(Invocation([b"still"], cwd=os.fsencode(top)))
    assert tools.ours(Invocation([b"still"], cwd=os.fsencode(top)), threads) == expected


# --- much -------------------------------------------------------------------------------------------


def many_files(directory, count):
    directory.mkdir()
    at = os.open(directory, os.O_DIRECTORY)
    for i in range(count):
        os.mknod(b"%x" % (i * 2654435761 % 2**32), stat.S_IFREG | 0o644, dir_fd=at)
    os.close(at)


def check_many(tools, sandbox, kind, count):
    try:
        top = pathlib.Path(os.fsdecode(sandbox.home(kind))) / "many"
    except Unavailable as error:
        pytest.skip(str(error))
    top.mkdir()
    try:
        many_files(top / "flat", count)
        fill(top / "flat/sub/file")
        for args in ([b"-s"], [b"-S", b"flat"], [b"--inodes"], [b"-a"], [b".", b"flat"]):
            expected = tools.gnu(Invocation(args, cwd=os.fsencode(top)))
            for threads in (1, 2, 16):
                assert tools.ours(Invocation(args, cwd=os.fsencode(top)), threads) == expected
        # Nothing is kept of files that have no line of their own.
        for threads in (1, 16):
            assert peak_memory([tools.du, f"--threads={threads}", "-s", top]) < 24 << 10
    finally:
        sandbox.remove(os.fsencode(top))


def peak_memory(argv):
    """In KiB; measured by a small process, for a child's begins at its parent's."""
    script = "import os, resource, sys; pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ); os.waitpid(pid, 0); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    launcher = ["/usr/bin/python3", "-I", "-S", "-c", script]
    done = subprocess.run([*launcher, *argv], env=CLEAN, stdout=subprocess.PIPE, timeout=120, check=True)
    return int(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("kind", ["ext4", "tmpfs"])
def test_many_files_in_one_directory(tools, sandbox, kind):
    check_many(tools, sandbox, kind, 200_000)


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["host", "tmpfs", "xfs"])
def test_a_million_files_in_one_directory(tools, sandbox, kind):
    check_many(tools, sandbox, kind, 1_000_000)


def a_million_empty(top):
    at = os.open(top, os.O_DIRECTORY)
    for i in range(1_000_000):
        os.mkdir(b"%d" % i, dir_fd=at)
    os.close(at)


def fifty_in_each_of_ten_thousand(top):
    for i in range(10_000):
        (top / f"{i}").mkdir()
        at = os.open(top / f"{i}", os.O_DIRECTORY)
        for j in range(50):
            os.mkdir(b"%d" % j, dir_fd=at)
        os.close(at)


def a_hundred_thousand_levels(top):
    chain(top, "d", 100_000)


# The bounds of docs/architecture.md; tests/memory holds the walk itself to them, without a disk.
@pytest.mark.soak
@pytest.mark.parametrize("kind", ["host", "tmpfs"])
@pytest.mark.parametrize("make, megabytes", [
    (a_million_empty, 24 + 93),
    (fifty_in_each_of_ten_thousand, 24 + 1),
    (a_hundred_thousand_levels, 24 + 154),
])  # fmt: skip
def test_memory_on_many_directories(tools, sandbox, kind, make, megabytes):
    try:
        top = pathlib.Path(os.fsdecode(sandbox.home(kind))) / "many"
    except Unavailable as error:
        pytest.skip(str(error))
    top.mkdir()
    try:
        make(top)
        for args in ([b"-s"], [b"-s", b"--inodes"]):
            invocation = Invocation(args, cwd=os.fsencode(top))
            expected = tools.gnu(invocation)
            for threads in (1, 2, 16):
                assert tools.ours(invocation, threads) == expected
        for threads in (1, 2, 16):
            peak = peak_memory([tools.du, f"--threads={threads}", "-s", top])
            print(f"{make.__name__} on {kind}, {threads} workers: {peak} KiB")
            assert peak < megabytes << 10
    finally:
        sandbox.remove(os.fsencode(top))
