# SPDX-License-Identifier: Apache-2.0
"""trawl du over a filesystem that lies, stalls, fails or dies, and how a walk is cut short."""

import contextlib
import errno
import glob
import json
import os
import random
import re
import signal
import subprocess
import time

import pytest

from differential.du import CLEAN, THREADS, Invocation
from hostile.fuse_server import Behaviour, Node, mounted, tree, why_unavailable

READDIR, GETATTR, LOOKUP, OPENDIR = 28, 3, 1, 27


@pytest.fixture(autouse=True)
def fuse(sandbox):
    if why := why_unavailable(sandbox):
        pytest.skip(why)


@pytest.fixture
def place(sandbox):
    with sandbox.directory("fuse") as path:
        yield path


@pytest.fixture
def serve(sandbox, place):
    """with serve(root, Behaviour()): the filesystem is mounted on place/m."""
    return lambda root, behaviour: mounted(sandbox, os.fsencode(place / "m"), root, behaviour)


def start(tools, place, *args):
    return subprocess.Popen(["du", *args], executable=tools.du, cwd=place / "m", env=CLEAN, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip


def finish(process, seconds):
    """Its output, and how long it took to end; killed if it does not."""
    begun = time.monotonic()
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return out, err, time.monotonic() - begun


def same_as_gnu(tools, place, *args):
    invocation = Invocation([os.fsencode(arg) for arg in args], cwd=os.fsencode(place / "m"), timeout=60)
    expected = tools.gnu(invocation, merged=True)
    for threads in THREADS:
        tools.expect(invocation, expected, tools.ours(invocation, threads, merged=True), threads, True)
    return expected


# --- lies -------------------------------------------------------------------------------------------


def test_an_honest_filesystem(tools, place, serve):
    with serve(tree(3, 3, 4), Behaviour()):
        for args in ([], ["-a"], ["-s"], ["-L"], ["--inodes", "-x"]):
            outcome = same_as_gnu(tools, place, *args)
            assert (outcome.status, b"f3" in outcome.out) == (0, args == ["-a"])


class UnknownTypes(Behaviour):
    """Tells some types and not others, never the same ones."""

    def entries(self, node):
        for name, child, kind, offset in super().entries(node):
            yield name, child, random.choice([0, kind]), offset


def test_types_that_are_told_now_and_then(tools, place, serve):
    with serve(tree(3, 3, 4), UnknownTypes()):
        for args in ([], ["-a"], ["-L", "-a"]):
            same_as_gnu(tools, place, *args)


class WrongTypes(Behaviour):
    def entries(self, node):
        for name, child, _, offset in super().entries(node):
            yield name, child, random.choice([0, 1, 2, 4, 6, 8, 10, 12, 15]), offset


@pytest.mark.parametrize("threads", THREADS)
def test_types_that_are_wrong(tools, place, serve, threads):
    with serve(tree(2, 3, 4), WrongTypes()):
        _, err, _ = finish(process := start(tools, place, f"--threads={threads}", "-a"), 20)
    assert process.returncode == (1 if err else 0)


class Offsets(Behaviour):
    """Positions without order, the largest there is in the middle."""

    def __init__(self, make):
        self.make = make

    def entries(self, node):
        for index, (name, child, kind, _) in enumerate(super().entries(node)):
            yield name, child, kind, self.make(index)


@pytest.mark.parametrize("make", [
    lambda index: 2**63 - 1 - index,
    lambda index: 2**63 - 1 if index == 3 else index + 1,
    lambda index: (index + 1) * 0x9E3779B97F4A7C15 % 2**63,
    lambda index: 2**62 + (index ^ 5),
])  # fmt: skip
def test_any_position(tools, place, serve, make):
    root = tree(1, 3, 700)  # several replies of the server
    with serve(root, Offsets(make)):
        for args in ([], ["-a"], ["--inodes"]):
            same_as_gnu(tools, place, *args)


class Repeating(Behaviour):
    """Some names twice, "." and ".." among them, or nowhere."""

    def entries(self, node):
        index = 0
        for name, child, kind, _ in super().entries(node):
            for _ in range(2 if name.endswith(b"1") else 1):
                index += 1
                yield name, child, kind, index
        yield b".", node, 4, index + 1
        yield b"..", None, 4, index + 2
        yield b".", node, 0, index + 3


def test_names_twice(tools, place, serve):
    with serve(tree(2, 3, 4), Repeating()):
        for args in ([], ["-a"], ["-s"], ["--inodes"]):
            same_as_gnu(tools, place, *args)


class Missing(Behaviour):
    """Lists names that are not there."""

    def entries(self, node):
        index = 0
        for name, child, kind, _ in super().entries(node):
            index += 1
            yield name, child, kind, index
        for kind in (0, 4, 8):
            index += 1
            yield b"ghost%d" % kind, None, kind, index


@pytest.mark.parametrize("threads", THREADS)
def test_names_of_nothing(tools, place, serve, threads):
    with serve(tree(1, 2, 2), Missing()):
        expected = tools.gnu(Invocation([b"-a"], cwd=os.fsencode(place / "m")))
        out, err, _ = finish(process := start(tools, place, f"--threads={threads}", "-a"), 20)
        assert (process.returncode, out) == (expected.status, expected.out)
        assert sorted(err.splitlines()) == sorted(expected.err.splitlines())


def test_a_directory_that_is_its_own_ancestor(tools, place, serve):
    """The same inode again and again, as only a broken filesystem has it: the walk ends."""

    class Endless(Node):
        def child(self, name):
            return self.children.setdefault(name, Endless({}, ino=77))

        def names(self):
            return [b"again"]

    with serve(Endless({}, ino=77), Behaviour()):
        for threads in (1, 16):
            _, err, _ = finish(process := start(tools, place, f"--threads={threads}", "--timeout=5"), 20)
            assert process.returncode == 1 and err


# --- failures ---------------------------------------------------------------------------------------


class Failing(Behaviour):
    """Listing fails from some entry on."""

    def __init__(self, size, after, code):
        self.size, self.after, self.code = size, after, code

    def read_directory(self, server, node, offset, size):
        if len(node.children) == self.size and offset >= self.after:
            raise OSError(self.code, "")
        return super().read_directory(server, node, offset, min(size, 4096))


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES, errno.ESTALE, errno.ENOMEM, errno.EINVAL])
@pytest.mark.parametrize("after", [0, 1])
def test_listing_that_fails(tools, place, serve, code, after):
    root = tree(2, 3, 4)
    root.children[b"big"] = tree(0, 0, 500)
    with serve(root, Failing(500, after, code)):
        # Not with -S: there GNU du counts such a directory in its parent too. Nor with several operands:
        # it takes what it could not finish for something seen before, and says nothing.
        for args in ([], ["-a"], ["-s"], ["--inodes"]):
            outcome = same_as_gnu(tools, place, *args)
            assert outcome.status == 1


class Dying(Behaviour):
    def __init__(self, at):
        self.at = at

    def on_request(self, opcode, count):
        if count >= self.at:
            os._exit(0)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("at", [2, 5, 20, 100, 300])
def test_a_server_that_dies(tools, place, serve, threads, at):
    """Everything after that is an error, and the walk ends."""
    with serve(tree(3, 4, 5), Dying(at)):
        process = start(tools, place.parent / "fuse", f"--threads={threads}", "-a") if at > 2 else None
        if process is None:
            process = subprocess.Popen(["du", f"--threads={threads}", "-a", "m"], executable=tools.du, cwd=place, env=CLEAN,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
        _, err, _ = finish(process, 20)
    assert process.returncode == 1
    assert err and all(re.match(rb"du: |\s|$", line) for line in err.splitlines())


class Dead(Behaviour):
    """Some requests about one directory are never answered."""

    def __init__(self, node, opcodes):
        self.node, self.opcodes = node, opcodes

    def answers(self, opcode, node, body):
        return node is not self.node or opcode not in self.opcodes


@pytest.mark.parametrize("threads", [1, 2, 16])
@pytest.mark.parametrize("opcode", [READDIR, OPENDIR, GETATTR, LOOKUP])
def test_a_server_that_stops_answering_for_one_directory(tools, place, serve, threads, opcode):
    """The rest is walked, and what could not be is an error."""
    root = tree(2, 3, 4)
    invocation = Invocation([b"-a"], cwd=os.fsencode(place / "m"), timeout=60)
    with serve(root, Behaviour()):
        lines = set(tools.gnu(invocation).out.splitlines())
    dead = root.children[b"dead"] = tree(1, 2, 5)
    with serve(root, Dead(dead, [opcode])):
        for command in (["-a"], ["-a", "--json"]):
            out, err, seconds = finish(process := start(tools, place, f"--threads={threads}", "--stall-timeout=0.4", *command), 30)
            assert process.returncode == 1 and seconds < 10
            if "--json" in command:
                document = json.loads(out)
                assert any(
                    error["path"].startswith("./dead") and (error["errno_name"], error["message"]) == ("ETIME", "stalled: no answer in time")
                    for error in document["errors"]
                ), document["errors"]
            else:
                assert re.search(rb"^du: .*\./dead'?: stalled: no answer in time$", err, re.MULTILINE), err
                assert lines <= set(out.splitlines())


class DeadBelowTheRoot(Behaviour):
    def answers(self, opcode, node, body):
        return opcode != OPENDIR or b"f0" in node.children


def processes_of_group(group):
    """Also those that were killed and cannot end."""
    found = 0
    for path in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError):
            found += int(open(path).read().rpartition(")")[2].split()[2]) == group
    return found


def test_a_server_that_is_dead_altogether(tools, place, serve):
    """Its many directories cost neither a process each, nor a stall each once there are too many of those."""
    root = tree(1, 600, 1)
    for name, node in root.children.items():
        if name.startswith(b"d"):
            node.children.clear()
    with serve(root, DeadBelowTheRoot()):
        process = subprocess.Popen([tools.trawl, "du", "--threads=8", "--stall-timeout=50ms"], cwd=place / "m", env=CLEAN,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)  # fmt: skip
        _, err, seconds = finish(process, 60)
        assert process.returncode == 1 and seconds < 30
        assert len(re.findall(rb"stalled: no answer in time", err)) == 600
        assert processes_of_group(process.pid) <= 256 + 8


def test_a_guarded_walk_finds_the_same(tools, place, serve):
    """Local directories, which are asked directly, and those of a server, which a child process asks, in one another."""
    (place / "own/m").mkdir(parents=True)
    (place / "own/file").write_bytes(b"x" * 5000)
    os.symlink("../m/d1", place / "own/link")
    os.symlink("../../m/d1/f0", place / "own/m/link")
    with serve(tree(2, 3, 40), Behaviour()):
        for args in (["-a"], ["-aL"], ["-ax"], ["-aD", "own/link", "m/d2", "own"], ["-s", "m", "."], ["-a", place / "m", "m/d1/f1"]):
            for threads in (1, 4):
                words = [tools.trawl, "du", f"--threads={threads}", *args]
                plain, guarded = (subprocess.run([*words, *more], cwd=place, capture_output=True, timeout=60) for more in ([], ["--stall-timeout=20"]))
                assert (guarded.returncode, guarded.stdout, guarded.stderr) == (0, plain.stdout, b"") and plain.stdout


class DeadFrom(Behaviour):
    """From one request on nothing is answered."""

    def __init__(self, first):
        self.left = first

    def answers(self, opcode, node, body):
        self.left -= 1
        return self.left > 0


@pytest.mark.parametrize("args", [["-a", "m/link/"], ["-aL", "m/link"], ["-D", "m/link", "own"]])
def test_a_local_directory_behind_a_link_on_a_dead_server(tools, place, serve, args):
    """It does not wait for servers, but the way to it does, whenever it is opened."""
    (place / "own/sub").mkdir(parents=True)
    (place / "own/sub/file").write_bytes(b"x" * 5000)
    root = Node({b"link": Node(target=os.fsencode(place / "own"))})
    outcomes = []
    for first in range(1, 16):
        with serve(root, DeadFrom(first)):
            process = subprocess.Popen([tools.trawl, "du", "--stall-timeout=200ms", *args], cwd=place, env=CLEAN, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE)  # fmt: skip
            _, err, _ = finish(process, 10)
            outcomes.append((process.returncode, b"stalled" in err))
    assert set(outcomes) == {(1, True), (0, False)}, outcomes


def test_a_guarded_walk_where_proc_is_of_another_namespace(tools, place, sandbox):
    """There the number of a process is that of another one in /proc, with other directories open."""
    (place / "own/m").mkdir(parents=True)
    (place / "own/file").write_bytes(b"x" * 5000)
    with mounted(sandbox, os.fsencode(place / "own/m"), tree(2, 3, 4), Behaviour()):
        words = [tools.trawl, "du", "-a", "own"]
        plain = subprocess.run(words, cwd=place, capture_output=True, timeout=60)
        guarded = subprocess.run(["unshare", "--pid", "--fork", *words, "--stall-timeout=20"], cwd=place, capture_output=True, timeout=60)
        assert (guarded.returncode, guarded.stdout, guarded.stderr) == (0, plain.stdout, b"") and plain.stdout


@pytest.mark.parametrize("how", ["timeout", "interrupt"])
def test_who_waits_for_a_dead_server_can_be_stopped(tools, place, serve, how):
    """Long before the stall's timeout."""
    root = tree(1, 2, 3)
    root.children[b"dead"] = dead = tree(0, 0, 3)
    with serve(root, Dead(dead, [OPENDIR])):
        options = ["--stall-timeout=30s", *(["--timeout=700ms"] if how == "timeout" else [])]
        process = subprocess.Popen([tools.trawl, "du", *options], cwd=place / "m", env=CLEAN, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if how == "interrupt":
            time.sleep(0.7)
            process.send_signal(signal.SIGINT)
        _, err, seconds = finish(process, 60)
    assert seconds < 10 and b"./dead': Operation canceled\n" in err
    assert process.returncode == (1 if how == "timeout" else 130)


def test_who_is_stopped_does_not_stall(tools, place, serve):
    with serve(tree(2, 3, 4), Slow(0.01)):
        process = subprocess.Popen([tools.trawl, "du", "--threads=2", "--stall-timeout=400ms"], cwd=place / "m", env=CLEAN, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, start_new_session=True)  # fmt: skip
        time.sleep(0.2)
        os.killpg(process.pid, signal.SIGSTOP)
        time.sleep(1)
        os.killpg(process.pid, signal.SIGCONT)
        _, err, _ = finish(process, 30)
    assert (process.returncode, err) == (0, b"")


def test_an_operand_that_is_not_answered_for(tools, place, serve):
    (place / "alive").mkdir()
    (place / "alive/file").write_bytes(b"x" * 5000)
    root = tree(1, 2, 3)
    with serve(root, Dead(root, [GETATTR, OPENDIR, LOOKUP])):
        for names in (["m", "alive"], ["alive", "m/d0", "alive/file"]):
            process = subprocess.Popen(["du", "--stall-timeout=300ms", "-a", *names], executable=tools.du, cwd=place, env=CLEAN,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
            out, err, seconds = finish(process, 30)
            assert process.returncode == 1 and seconds < 10 and b"stalled" in err
            assert b"8\talive/file\n" in out and b"\talive\n" in out
        process = subprocess.Popen([tools.trawl, "--stall-timeout=300ms", "."], cwd=place, env=CLEAN, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err, seconds = finish(process, 30)
        assert process.returncode == 1 and b"alive" in out


class DeadWhile(Behaviour):
    """Some requests are not answered while there is something at `path`."""

    def __init__(self, path, opcodes):
        self.path, self.opcodes = path, opcodes

    def answers(self, opcode, node, body):
        return opcode not in self.opcodes or not os.path.exists(self.path)


@pytest.mark.parametrize("options", [[], ["--stall-timeout=300ms"]])
def test_a_mounted_file_of_a_dead_server(tools, sandbox, place, serve, options):
    """Elsewhere than what is walked: to know which file it is, nobody has to be asked."""
    for name in ("one", "two", "mounted"):
        (place / name).mkdir()
    for name in ("one/file", "two/file", "mounted/file", "mounted/local"):
        (place / name).write_bytes(b"x" * 5000)
    os.link(place / "one/file", place / "two/again")
    with serve(tree(1, 2, 3), DeadWhile(place / "dead", [GETATTR, LOOKUP, OPENDIR, READDIR])):
        sandbox.bind(os.fsencode(place / "m/f0"), os.fsencode(place / "mounted/file"))
        sandbox.bind(os.fsencode(place / "one/file"), os.fsencode(place / "mounted/local"))
        invocation = Invocation([b"-a", b"one", b"two"], cwd=os.fsencode(place))
        expected = tools.gnu(invocation)
        (place / "dead").touch()
        words = ["du", *options, "-a", "one", "two"]
        process = subprocess.Popen(words, executable=tools.du, cwd=place, env=CLEAN, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err, seconds = finish(process, 10)
    assert (process.returncode, out, err) == (0, expected.out, b"") and seconds < 5


def test_a_mount_below_a_dead_server(tools, sandbox, place, serve):
    """The way to the mount points stalls: given up once, whatever is mounted there."""
    for name in ("one", "two"):
        (place / name).mkdir()
        (place / name / "file").write_bytes(b"x" * 5000)
    os.link(place / "one/file", place / "two/again")
    with serve(tree(1, 2, 20), DeadWhile(place / "dead", [LOOKUP])):
        for i in range(20):
            target = os.fsencode(place / f"m/d1/f{i}")
            sandbox.bind(os.fsencode(place / "one/file"), target)
            sandbox.mounts.remove(target)  # unmounted with m; alone, it would have to be looked up
        invocation = Invocation([b"-a", b"one", b"two"], cwd=os.fsencode(place))
        expected = tools.gnu(invocation)
        (place / "dead").touch()
        for threads in (1, 4):
            words = ["du", f"--threads={threads}", "--stall-timeout=700ms", "-a", "one", "two"]
            process = subprocess.Popen(words, executable=tools.du, cwd=place, env=CLEAN, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            out, err, seconds = finish(process, 20)
            assert (process.returncode, out, err) == (0, expected.out, b"") and 0.7 <= seconds < 5


# --- cut short --------------------------------------------------------------------------------------


class Slow(Behaviour):
    def __init__(self, seconds):
        self.seconds = seconds

    def on_request(self, opcode, count):
        time.sleep(self.seconds)


@pytest.mark.parametrize("threads", THREADS)
def test_timeout(tools, place, serve, threads):
    with serve(tree(4, 4, 4), Slow(0.01)):
        begun = time.monotonic()
        out, err, _ = finish(process := start(tools, place, f"--threads={threads}", "--timeout=0.7"), 20)
        assert time.monotonic() - begun < 0.7 + 1.5
    assert process.returncode == 1
    assert b"partial" in err and re.fullmatch(rb"(\d+\t.*\n)*", out)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("number", [signal.SIGINT])
def test_interrupt(tools, place, serve, threads, number):
    with serve(tree(4, 4, 4), Slow(0.01)):
        process = start(tools, place, f"--threads={threads}")
        time.sleep(0.7)
        process.send_signal(number)
        out, err, seconds = finish(process, 20)
    assert seconds < 1.5
    assert process.returncode == 130
    assert b"partial" in err and re.fullmatch(rb"(\d+\t.*\n)*", out)


class EndlessListing(Behaviour):
    """A directory that never ends."""

    def read_directory(self, server, node, offset, size):
        return super().read_directory(server, node, 0, size)


def test_a_listing_without_end(tools, place, serve):
    with serve(tree(0, 0, 300), EndlessListing()):
        for threads in (1, 16):
            _, err, seconds = finish(process := start(tools, place, f"--threads={threads}", "--timeout=1", "-s"), 20)
            assert process.returncode == 1 and b"partial" in err and seconds < 3


def test_lines_come_while_the_walk_goes_on(tools, place, serve):
    with serve(tree(3, 4, 4), Slow(0.005)):
        process = start(tools, place, "--threads=4")
        begun = time.monotonic()
        first = process.stdout.readline()
        until_first = time.monotonic() - begun
        out, _, _ = finish(process, 60)
        whole = time.monotonic() - begun
    assert process.returncode == 0 and first and out
    assert until_first < whole / 2
