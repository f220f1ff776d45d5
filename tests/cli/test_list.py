# SPDX-License-Identifier: Apache-2.0
"""`trawl list` against find and rsync, over random trees; its signals, pipes and messages."""

import collections
import csv
import fcntl
import io
import json
import os
import random
import re
import shutil
import signal
import stat
import subprocess
import termios
import threading
import time

import pytest

from cli.on_terminal import on_terminal
from differential.sandbox import NOBODY, Sandbox
from differential.tree import Tree, listing

ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
ORDERS = ["unordered", "component", "bytes", "rsync", "rsync28"]


@pytest.fixture
def run(trawl_path):
    def run(*arguments, **options):
        return subprocess.run([trawl_path, "list", *arguments], capture_output=True, timeout=120,
                              env=ENVIRONMENT, stdin=subprocess.DEVNULL, **options)  # fmt: skip

    return run


@pytest.fixture
def names(run):
    """What is listed, sorted; nothing may go wrong."""

    def names(*arguments, **options):
        result = run("-0", *arguments, **options)
        assert result.returncode == 0 and result.stderr == b"", result.stderr
        return sorted(result.stdout.split(b"\0")[:-1])

    return names


def find(*arguments, **options):
    result = subprocess.run(["find", *arguments, "-print0"], capture_output=True, timeout=120,
                            env=ENVIRONMENT, **options)  # fmt: skip
    assert result.returncode == 0, result.stderr
    return sorted(result.stdout.split(b"\0")[:-1])


@pytest.fixture
def place(tmp_path):
    """Something of everything, no directory twice."""
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    for path in ["file", "a/file", "a/b/c/deep", "a/b/with\nnewline", "a/-dash"]:
        (tmp_path / path).write_text("text")
    os.mkfifo(tmp_path / "a" / "fifo")
    os.mknod(tmp_path / "a" / "socket", stat.S_IFSOCK | 0o600)
    if os.geteuid() == 0:
        os.mknod(tmp_path / "char", stat.S_IFCHR | 0o600, os.makedev(1, 3))
        os.mknod(tmp_path / "block", stat.S_IFBLK | 0o600, os.makedev(7, 200))
    (tmp_path / "to_file").symlink_to("file")
    (tmp_path / "dangling").symlink_to("nothing")
    return tmp_path


# --- against find ----------------------------------------------------------------------------------

SPELLINGS = [[], ["."], ["./"], ["a"], ["a/"], ["a//"], ["a", "empty", "file"], ["../place"], ["file"], ["to_file"],
             ["a", "a"]]  # fmt: skip


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("roots", SPELLINGS, ids=lambda roots: " ".join(roots) or "none")
def test_paths_are_spelled_as_find_does(names, place, roots, order):
    target = place.parent / "place"
    if not target.exists():
        target.symlink_to(place.name)
    roots = [root.replace("../place", f"../{place.name}") for root in roots]
    assert names(f"--order={order}", *roots, cwd=place) == find(*roots, cwd=place)


def test_absolute_roots(names):
    assert names("/", "--max-depth=1") == find("/", "-maxdepth", "1")
    assert names("//dev", "--max-depth=0") == [b"//dev"]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("least, most", [(None, 0), (None, 1), (0, 2), (1, None), (2, 3), (3, 1), (9, None)])
def test_depths(names, place, least, most, order):
    ours, theirs = [], []
    if least is not None:
        ours, theirs = [f"--min-depth={least}"], ["-mindepth", str(least)]
    if most is not None:
        ours, theirs = [*ours, f"--max-depth={most}"], [*theirs, "-maxdepth", str(most)]
    assert names(f"--order={order}", *ours, cwd=place) == find(".", *theirs, cwd=place)


@pytest.mark.parametrize("order", ["unordered", "component"])
@pytest.mark.parametrize("types", ["f", "d", "l", "s", "p", "b", "c", "f,d", "l,s,p", "d,d"])
def test_types(names, place, types, order):
    assert names(f"--order={order}", f"--type={types}", cwd=place) == find(".", "-type", types.replace("d,d", "d"), cwd=place)  # fmt: skip
    split = [f"--type={letter}" for letter in types.split(",")]
    assert names(*split, cwd=place) == names(f"--type={types}", cwd=place)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("threads", [1, 4])
def test_relative(names, place, order, threads):
    expected = [path.removeprefix(b"./") for path in find(".", cwd=place)]
    for root in [".", "./", str(place), f"{place}//"]:
        assert names("--relative", f"--order={order}", f"--threads={threads}", root, cwd=place) == sorted(expected)
    assert names("--relative", "a/file", "a/b", cwd=place) == sorted(
        [b"file", b".", b"with\nnewline", b"c", b"c/deep"])  # fmt: skip


@pytest.mark.parametrize("order", ["unordered", "component"])
def test_following(names, place, order):
    outside = place.parent / f"outside-{order}"
    (outside / "in").mkdir(parents=True)
    (place / "link").symlink_to(outside)
    (place / "a" / "up").symlink_to("..")
    listed = [f"--order={order}", "link", "to_file", "."]
    assert names(*listed, cwd=place) == find("link", "to_file", ".", cwd=place)
    assert names("--follow=never", *listed, cwd=place) == find("link", "to_file", ".", cwd=place)
    assert names("--follow=roots", *listed, cwd=place) == find("-H", "link", "to_file", ".", cwd=place)
    # A directory that was met before is listed, and entered once: find would go round.
    (place / "a" / "up").unlink()
    for option in ["-L", "--follow", "--follow=all", "--dereference"]:
        assert names(option, f"--order={order}", cwd=place) == find("-L", ".", cwd=place)
    assert names("-L", f"--order={order}", "--type=l", cwd=place) == [b"./dangling"]
    (place / "a" / "up").symlink_to("..")
    assert names("-L", f"--order={order}", cwd=place).count(b"./a/up") == 1


def test_one_file_system(names):
    box = Sandbox()
    try:
        if not box.can_mount:
            pytest.skip(box.why_no_mounts)
        top = os.path.join(box.path, b"top")
        os.makedirs(os.path.join(top, b"mount"))
        box.mount(b"tmpfs", os.path.join(top, b"mount"), b"mode=755")
        os.mkdir(os.path.join(top, b"mount", b"inside"))
        for option in ["-x", "--one-file-system"]:
            for order in ["unordered", "component"]:
                assert names(option, f"--order={order}", cwd=top) == find(".", "-xdev", cwd=top) == [b".", b"./mount"]
        assert b"./mount/inside" in names(cwd=top)
    finally:
        box.close()


@pytest.mark.parametrize("seed", range(1, 1 + int(os.environ.get("TRAWL_ROUNDS", 12))))
def test_hostile_trees(run, sandbox, seed):
    rng = random.Random(seed)
    tree = Tree(rng, os.path.join(sandbox.home("host"), b"tree"), sandbox)
    try:
        tree.build()
        roots = [b"./" + root for root in tree.roots]  # or find takes some for options
        # Bind mounts that lead back are errors of find's.
        comparable = os.geteuid() == 0 and not tree.mount_points
        expected = find(*roots, cwd=tree.top) if comparable else None
        lists = {"none": set(), "basic": set()}
        for order in ORDERS:
            for stat_ in ["none", "basic"]:
                result = run("-0", f"--order={order}", f"--stat={stat_}", f"--threads={rng.choice([1, 2, 16])}",
                             *roots, cwd=tree.top)  # fmt: skip
                got = sorted(result.stdout.split(b"\0")[:-1])
                lists[stat_].add((result.returncode, result.stderr, *got))
                assert expected is None or (got, result.returncode, result.stderr) == (expected, 0, b""), order
        # Only who stats directories sees that a mount leads back, and stays out of it.
        assert os.geteuid() != 0 or all(len(each) == 1 for each in lists.values())
        assert tree.mount_points or lists["none"] == lists["basic"] or os.geteuid() != 0
    except Exception as error:
        raise AssertionError(f"seed {seed}\n{error}\n{listing(tree.top)[:20000]}") from error
    finally:
        tree.remove()


# --- metadata --------------------------------------------------------------------------------------

FIELDS = {"path": "%p", "size": "%s", "inode": "%i", "links": "%n", "uid": "%U", "gid": "%G", "blocks": "%b",
          "depth": "%d", "user": "%u", "group": "%g"}  # fmt: skip


@pytest.mark.parametrize("order", ["unordered", "component"])
@pytest.mark.parametrize("threads", [1, 16])
@pytest.mark.parametrize("seed", range(100, 104))
def test_metadata_is_what_find_says(run, sandbox, seed, order, threads):
    tree = Tree(random.Random(seed), os.path.join(sandbox.home("host"), b"tree"), sandbox)
    try:
        tree.build()
        roots = [b"./" + root for root in tree.roots]
        printed = subprocess.run(["find", *roots, "-printf", "|".join(FIELDS.values()) + "|%l\\0"], cwd=tree.top,
                                 capture_output=True, timeout=60, env=ENVIRONMENT)  # fmt: skip
        form = "--format=" + "|".join(f"{{{name}}}" for name in [*FIELDS, "target"])
        result = run("-0", form, f"--order={order}", f"--threads={threads}", *roots, cwd=tree.top)
        if os.geteuid() == 0:
            assert sorted(result.stdout.split(b"\0")) == sorted(printed.stdout.split(b"\0"))
            assert result.returncode == 0
    finally:
        tree.remove()


@pytest.mark.parametrize("order", ["unordered", "component"])
def test_every_form_has_every_entry(run, place, order):
    count = len(find(".", cwd=place))
    lines = run("--json", f"--order={order}", cwd=place).stdout.splitlines()
    assert len(lines) == count and all({"path", "type", "size"} <= set(json.loads(line)) for line in lines)
    assert set(json.loads(run("--json", "--stat=none", cwd=place).stdout.splitlines()[0])) <= {"path", "type", "depth"}
    rows = list(csv.DictReader(io.StringIO(run("--csv", f"--order={order}", cwd=place).stdout.decode(), newline="")))
    assert sorted(row["path"].encode() for row in rows) == find(".", cwd=place)
    assert len(run("--long", "-0", f"--order={order}", cwd=place).stdout.split(b"\0")) == count + 1


@pytest.mark.parametrize("order", ["unordered", "component"])
def test_nothing_is_told_of_a_path_either_that_was_not_asked_for(run, place, order):
    result = run("--stat=none", f"--order={order}", "--format={size}{mode}{uid}{device}{mtime}|{type}", ".", cwd=place)
    assert {line.split(b"|")[0] for line in result.stdout.splitlines()} == {b""}
    line = json.loads(run("--stat=none", f"--order={order}", "--json", "/dev/null").stdout)
    assert line == {"path": "/dev/null", "depth": 0, "type": "character_device"}


# --- links -----------------------------------------------------------------------------------------

TARGETS = ["/abs", "..", "../", "../x", "../..", "../../x", "d", "./d", "d//e", "d/..", "d/../d", "d/../../x", "...",
           "../..x", ".", "../.", "..//ok", "./../ok", "./../../x", "e/..", "e/../../..", "../d/..", "nothing",
           "../../..", "../ok", "../../s/d", "..///../x", "a/./b"]  # fmt: skip


@pytest.mark.skipif(not shutil.which("rsync"), reason="no rsync")
@pytest.mark.parametrize("order", ["unordered", "component", "rsync"])
def test_safe_links(names, tmp_path, order):
    source, target = tmp_path / "source", tmp_path / "target"
    for directory in [".", "d", "d/e"]:
        (source / directory).mkdir(parents=True, exist_ok=True)
        for number, to in enumerate(TARGETS):
            (source / directory / f"link{number}").symlink_to(to)
    # With --list-only rsync does not heed it.
    subprocess.run(["rsync", "-rl", "--safe-links", f"{source}/", target], check=True, timeout=60, capture_output=True)
    assert names("--safe-links", f"--order={order}", "--relative", source) == sorted(
        os.fsencode(path.relative_to(target)) for path in [target, *target.rglob("*")])  # fmt: skip


# --- errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["unordered", "component"])
def test_a_missing_root(run, place, order):
    result = run(f"--order={order}", "nope", "a/b/c", "", cwd=place)
    assert result.returncode == 1
    assert result.stdout == b"a/b/c\na/b/c/deep\n"
    assert sorted(result.stderr.splitlines()) == [b"trawl list: cannot access '': No such file or directory",
                                                  b"trawl list: cannot access 'nope': No such file or directory"]  # fmt: skip


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
@pytest.mark.parametrize("order", ["unordered", "component"])
def test_what_may_not_be_read(run, sandbox, order, trawl_path):
    top = os.path.join(sandbox.path, b"unreadable")
    binary = shutil.copy(trawl_path, os.path.join(os.fsdecode(sandbox.path), "trawl"))  # that nobody may run
    for path in [b"closed/in", b"no_search/in", b"open/in"]:
        os.makedirs(os.path.join(top, path))
    os.chmod(os.path.join(top, b"closed"), 0o000)
    os.chmod(os.path.join(top, b"no_search"), 0o744)
    try:
        result = subprocess.run([binary, "list", f"--order={order}"], cwd=top, user=NOBODY, group=NOBODY, env=ENVIRONMENT,
                                extra_groups=[], capture_output=True, timeout=60)  # fmt: skip
        assert result.returncode == 1
        assert sorted(result.stdout.splitlines()) == [b".", b"./closed", b"./no_search", b"./no_search/in", b"./open",
                                                      b"./open/in"]  # fmt: skip
        assert result.stderr.splitlines() == [b"trawl list: cannot open './closed': Permission denied",
                                              b"trawl list: cannot open './no_search/in': Permission denied"]  # fmt: skip
    finally:
        sandbox.remove(top)
        os.unlink(binary)


@pytest.mark.parametrize("arguments, message", [
    (["--order=size"], "unordered, component, bytes, rsync or rsync28"),
    (["--type=x"], "letters from f, d, l, s, p, b and c"),
    (["--type="], "letters from"), (["--type=fd"], "letters from"), (["--type=f,"], "letters from"),
    (["--follow=some"], "never, roots or all"),
    (["--stat=most"], "none, basic or all"),
    (["--stats=xml"], "text or json"),
    (["--progress=maybe"], "auto, always or never"),
    (["--max-depth=-1"], "a number of levels"), (["--min-depth=x"], "a number of levels"),
    (["--threads=0"], "a number from 1 to"),
    (["--timeout=soon"], "a duration"), (["--stall-timeout=0"], "a duration"),
    (["--json", "--csv"], "only one of"), (["--long", "--format={path}"], "only one of"),
    (["-0", "--json"], "--null does not go with --json"),
    (["--safe-links", "-L"], "--safe-links does not go with"),
    (["--nope"], "unrecognized option '--nope'"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")  # fmt: skip
def test_bad_command_lines(run, arguments, message):
    result = run(*arguments)
    assert result.returncode == 2 and result.stdout == b""
    assert result.stderr.startswith(b"trawl list: ") and message in result.stderr.decode()


def test_an_unknown_field(run):
    result = run("--format={path} {nope}")
    assert result.returncode == 2 and result.stdout == b""
    assert b"nope" in result.stderr and b"path" in result.stderr and b"mtime" in result.stderr


def test_help(run, trawl_path):
    text = run("--help").stdout
    assert text.startswith(b"Usage: trawl list")
    assert subprocess.run([trawl_path, "help", "list"], capture_output=True, timeout=60).stdout == text
    assert re.fullmatch(rb"trawl \d+\.\d+\.\d+\n", run("--version").stdout)


# --- a tree that changes ---------------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
def test_what_stays_is_listed_once(run, tmp_path, order):
    for i in range(30):
        (tmp_path / f"stays{i}" / "below").mkdir(parents=True)
        for j in range(20):
            (tmp_path / f"stays{i}" / f"file{j}").touch()
            (tmp_path / f"stays{i}" / "below" / f"file{j}").touch()
    staying = set(find(".", cwd=tmp_path))
    done = threading.Event()

    def disturb():
        rng = random.Random(order)
        while not done.is_set():
            directory = tmp_path / f"stays{rng.randrange(30)}"
            other = tmp_path / f"comes{rng.randrange(30)}"
            try:
                (directory / f"new{rng.randrange(1000)}").touch()
                other.mkdir(exist_ok=True)
                (other / f"x{rng.randrange(50)}").touch()
                other.rename(directory / f"moved{rng.randrange(5)}")
                shutil.rmtree(directory / f"moved{rng.randrange(5)}", ignore_errors=True)
                for path in rng.sample(sorted(directory.glob("new*")), 1):
                    path.unlink()
            except (OSError, ValueError):
                pass

    disturber = threading.Thread(target=disturb)
    disturber.start()
    try:
        for _ in range(10):
            result = run("-0", f"--order={order}", "--stat=basic", cwd=tmp_path)
            assert result.stderr == b"" and result.returncode == 0
            counts = collections.Counter(result.stdout.split(b"\0")[:-1])
            assert {path for path in staying if counts[path] != 1} == set()
            assert [path for path, count in counts.items() if count > 1] == []
    finally:
        done.set()
        disturber.join()


# --- readers ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    """More lines than a pipe holds, and than workers keep."""
    root = tmp_path_factory.mktemp("big")
    for i in range(200):
        (root / f"{i}").mkdir()
        for j in range(200):
            (root / f"{i}" / f"{j}{'n' * 200}").touch()
    return root


@pytest.fixture
def start(trawl_path, big):
    processes = []

    def start(*arguments, **options):
        process = subprocess.Popen([trawl_path, "list", *arguments, big], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=ENVIRONMENT, **options)  # fmt: skip
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def waits_for_its_reader(process):
    before = -1
    for _ in range(200):
        time.sleep(0.1)
        now = int.from_bytes(fcntl.ioctl(process.stdout, termios.FIONREAD, bytes(4)), "little")
        if now == before and now > 30_000:
            return process.poll() is None
        before = now
    return False


def threads_of(process):
    return len(os.listdir(f"/proc/{process.pid}/task"))


@pytest.mark.parametrize("order", ["unordered", "component"])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_nobody_reads(start, order, sent):
    process = start(f"--order={order}")
    assert waits_for_its_reader(process)
    process.send_signal(sent)
    assert process.wait(timeout=20) == 128 + sent
    messages = process.stderr.read()
    assert b"interrupted: the list is partial" in messages
    assert b"write error: nobody took the output in time" in messages


@pytest.mark.parametrize("order", ["unordered", "component"])
def test_a_timeout_while_nobody_reads(start, order):
    process = start(f"--order={order}", "--timeout=500ms")
    assert process.wait(timeout=20) == 1
    messages = process.stderr.read()
    assert b"stopped by --timeout: the list is partial" in messages
    assert b"write error: nobody took the output in time" in messages


def test_a_slow_reader_is_not_taken_for_a_slow_disk(start):
    """Waiting workers look as if they waited for the medium; but more of them would not help."""
    process = start("/usr", "/usr")  # work for many
    assert waits_for_its_reader(process)
    time.sleep(3)  # the controller doubles its limit again and again
    most = threads_of(process)
    taken = 0
    end = time.monotonic() + 3
    while time.monotonic() < end and (chunk := os.read(process.stdout.fileno(), 20_000)):
        taken += len(chunk)
        time.sleep(0.02)
        most = max(most, threads_of(process))
    # Workers for the processors, the monitor, the thread that flushes, and what a busy machine adds.
    assert most <= os.cpu_count() + 8
    rest = process.stdout.read()
    assert process.wait(timeout=60) == 0
    assert taken + len(rest) > 200 * 200 * 200


@pytest.mark.parametrize("order", ["unordered", "component"])
@pytest.mark.parametrize("ignored", [False, True], ids=["SIGPIPE", "EPIPE"])
def test_a_reader_that_goes(start, order, ignored):
    """As GNU's tools: without a word."""
    process = start(f"--order={order}", restore_signals=not ignored,
                    preexec_fn=(lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN)) if ignored else None)  # fmt: skip
    assert process.stdout.read(1000)
    process.stdout.close()
    assert process.wait(timeout=60) == (1 if ignored else -signal.SIGPIPE)
    assert process.stderr.read() == b""


def test_a_full_disk(trawl_path, place):
    with open("/dev/full", "wb") as full:
        result = subprocess.run([trawl_path, "list", place], stdout=full,
                                stderr=subprocess.PIPE, timeout=60, env=ENVIRONMENT)  # fmt: skip
    assert result.returncode == 1
    assert result.stderr == b"trawl list: write error: No space left on device\n"


def test_on_a_terminal(trawl_path, place):
    out, status = on_terminal([trawl_path, "list", "--progress=always", place],
                              {**ENVIRONMENT, "TERM": "xterm"}, (40, 200))  # fmt: skip
    assert status == 0
    lines = sorted(re.sub(rb"\r|\x1b\[K", b"", out).split(b"\n"))
    assert os.fsencode(place / "a" / "b" / "c" / "deep") in lines


def test_statistics(run, place):
    result = run("--stats=json", cwd=place)
    assert result.returncode == 0
    assert f'"entries":{len(find(".", cwd=place))}'.encode() in result.stderr.replace(b" ", b"")
