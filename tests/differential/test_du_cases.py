# SPDX-License-Identifier: Apache-2.0
"""Fixed cases against GNU du: what the random ones would meet seldom, or never."""

import json
import os
import pathlib
import random
import stat
import subprocess

import pytest

from differential.du import Invocation, everyone
from differential.options import (
    ABBREVIATIONS, BAD_BLOCK_SIZES, BAD_DEPTHS, BAD_THRESHOLDS, BAD_TIME_STYLES, BAD_TIME_WORDS, BLOCK_SIZES, DEPTHS,
    FORMATS_OF_TIME_STYLE, LOCALES, LONG, SIZES_IN_ENVIRONMENT, THRESHOLDS, TIME_STYLES, TIME_WORDS, TIME_ZONES,
)  # fmt: skip
from differential.sandbox import NOBODY, Unavailable
from differential.tree import ODD_NAMES, ODD_TIMES, fill

KIB = 1024


@pytest.fixture
def top(sandbox):
    with sandbox.directory("case") as path:
        yield path


@pytest.fixture
def compare(tools, top):
    """compare("-a", "x") runs both in `top`. Keywords are Invocation's; quick=True saves half the time."""

    def run(*args, quick=False, **how):
        how.setdefault("cwd", os.fsencode(top))
        invocation = Invocation([os.fsencode(str(a)) if not isinstance(a, bytes) else a for a in args], **how)
        return (tools.check_quickly if quick else tools.check)(invocation)

    return run


def on(sandbox, kind):
    try:
        return pathlib.Path(os.fsdecode(sandbox.home(kind)))
    except Unavailable as error:
        pytest.skip(str(error))


def need_mounts(sandbox):
    if not sandbox.can_mount:
        pytest.skip(f"cannot mount: {sandbox.why_no_mounts}")


# --- what counts, and where -------------------------------------------------------------------------


@pytest.fixture
def links(top):
    for i, names in enumerate([("a/1", "a/2"), ("a/3", "b/3", "c/d/3"), ("b/4", "c/4"), ("c/d/5", "a/z/5")]):
        fill(top / names[0], 4096 * (i + 1) ** 3)
        for name in names[1:]:
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            os.link(top / names[0], top / name)
    os.symlink("nothing", top / "a/link")
    os.link(top / "a/link", top / "b/link", follow_symlinks=False)
    return top


@pytest.mark.parametrize("options", [[], ["-a"], ["-l"], ["-al"], ["-S"], ["-s"], ["-d1"], ["-c"], ["--inodes"], ["-Sd1"], ["-L"], ["-ab"]])
def test_hard_links_are_charged_where_they_are_met_first(links, compare, options):
    for operands in (["."], ["a", "b", "c"], ["c", "b", "a"], ["b", "."], [".", "b"], ["c/d", "c"], ["a/3", "b"], ["b/3", "a/3", "c/d/3"]):
        compare(*options, *operands, quick=True)


def test_what_is_met_twice_counts_once(links, compare):
    os.symlink("a", links / "to-a")
    for operands in (["a", "a"], ["a", "a/"], ["a", "./a//"], ["a/z", "a"], ["a", "a/z"], ["a/1", "a/1"], ["a/1", "a"],
                     ["a", "a/1"], ["a", "to-a"], ["to-a", "a"], ["to-a/", "a"], [".", "."], ["a", "b/../a", "c"],
                     ["a/z", "b", "a", "a/z"], ["a", "a", "-l"]):  # fmt: skip
        for option in ("-P", "-D", "-L", "-c", "-ac", "-sc", "--inodes", "-S"):
            compare(option, *operands, quick=True)


@pytest.mark.parametrize("count, options", [(7, []), (7, ["-a"]), (7, ["-s"]), (7, ["-S"]), (6, ["-l", "-s"]), (5, ["-l"]), (4, ["-la"])])
def test_directories_that_all_link_one_another(top, compare, count, options):
    for i in range(count):
        fill(top / f"d{i}" / "file", 1000 * (i + 1))
        for j in range(count):
            os.symlink(f"../d{j}", top / f"d{i}" / f"to-{j}")
    compare("-L", *options)
    compare("-L", *options, "d3", "d1")
    compare("-D", *options, "d3/to-1", "d1/to-3", "d3")


@pytest.mark.parametrize("option", ["-P", "-D", "-H", "-L", "-LP", "-PL", "-LD", "-DL", "-DP", "-HL"])
def test_symbolic_links(top, compare, option):
    fill(top / "dir/file")
    fill(top / "file")
    for name, target in {"to-dir": "dir", "to-file": "file", "dangling": "nowhere", "self": "self", "ab": "ba", "ba": "ab",
                         "dir/up": "..", "dir/again": ".", "dir/out": "../file", "chain": "to-dir",
                         "through-file": "file/x", "long": "x" * 300}.items():  # fmt: skip
        os.symlink(target, top / name)
    compare(option)
    compare(option, "-a")
    compare(option, "-al")
    for name in ("to-dir", "to-dir/", "to-file", "to-file/", "dangling", "self", "ab", "chain", "chain/.", "to-dir/up", "dir", "through-file", "long"):
        compare(option, "-a", name, quick=True)
    compare(option, "-ac", "to-dir", "dir", "chain", "to-file", "file", "dangling")


@pytest.mark.parametrize("user", ["we", "nobody"])
def test_unreadable(top, compare, sandbox, user):
    user = NOBODY if user == "nobody" else None
    for mode in (0o000, 0o111, 0o333, 0o444, 0o555, 0o700, 0o711, 0o744):
        fill(top / f"{mode:o}/sub/file")
        fill(top / f"{mode:o}/file")
        os.mkdir(top / f"{mode:o}/empty")
    for directory in sorted(top.iterdir()):
        os.chmod(directory, int(directory.name, 8))
    for options in ([], ["-a"], ["-s"], ["-c"], ["-S"], ["--inodes"], ["-d1"], ["-t9000"], ["-t-9000"], ["-L"], ["--time"], ["-x"], ["-l"]):
        compare(*options, user=user)
        compare(*options, *sorted(os.listdir(top)), user=user, quick=True)
    for operand in ("0", "0/", "0/file", "444", "444/file", "444/sub", "111/file", "111/sub", "111", "333/empty", "0/..", "111/.."):
        compare("-a", operand, user=user)
    compare(cwd=os.fsencode(top / "0"), user=user)
    compare("..", cwd=os.fsencode(top / "0"), user=user)
    compare(cwd=os.fsencode(top / "111"), user=user)
    compare(top / "555", "555", "../444", cwd=os.fsencode(top / "111"), user=user)
    if not sandbox.is_root:
        for directory in top.iterdir():
            os.chmod(directory, 0o755)


def test_a_directory_that_was_removed(tools, top):
    gone = top / "gone"
    for operands in ("", ".", "-a ..", f"{gone} ."):
        outcomes = []
        for tool in (tools.oracle, tools.du):
            gone.mkdir()
            script = f'cd {gone} && rmdir {gone} && exec "$0" {operands}'
            done = subprocess.run(["sh", "-c", script, tool], capture_output=True, timeout=20)
            outcomes.append((done.returncode, done.stdout, done.stderr.replace(os.fsencode(tool), b"du")))
        assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("size", THRESHOLDS)
def test_thresholds(top, compare, size):
    for i, count in enumerate((0, 1, 2, 3, 5, 20)):
        (top / f"d{i}").mkdir()
        for j in range(count):
            fill(top / f"d{i}/f{j}", 512 * j)
    for options in ([], ["-a"], ["--inodes"], ["-ab"], ["-S"], ["-s"], ["-ch"]):
        compare(*options, "-t", size, quick=True)


def test_a_file_as_operand(top, compare):
    fill(top / "file", 100_000)
    os.symlink("file", top / "link")
    os.mkfifo(top / "fifo")
    for options in ([], ["-a"], ["-s"], ["-d0"], ["-d5"], ["-S"], ["-c"], ["--inodes"], ["-b"], ["-h"], ["-0"], ["-x"], ["--time", "--time-style=+"], ["-t1M"]):
        for operands in (["file"], ["link"], ["fifo"], ["/dev/null"], ["file/"], ["file", "link", "fifo"]):
            for follow in ("-P", "-D", "-L"):
                compare(*options, follow, *operands, quick=True)


def test_depth_and_separate_directories(top, compare):
    for path in ("a/b/c/d/e", "a/b2/c", "a2", "a/b/c3"):
        fill(top / path / "file", 3000 * len(path))
    for depth in DEPTHS:
        for options in ([], ["-S"], ["-a"], ["-aS"], ["-S", "-c"], ["-S", "--inodes"], ["-S", "-t8K"], ["-S", "--time"]):
            compare(*options, "-d", depth, quick=True)
            compare(*options, "-d", depth, "a", "a/b", "a2", quick=True)
    for options in (["-s"], ["-sS"], ["-s", "-d0"], ["-s", "-d1"], ["-sa"], ["-d0", "-a"], ["-s", "-d0", "-c"], ["-d3", "-s"], ["-d1", "-d2"]):
        compare(*options, "a", "a2")


def test_real_trees(compare, sandbox):
    for user in everyone(sandbox):
        for options in ([], ["-a"], ["-s"], ["--inodes"], ["--time"], ["-Sh"], ["-L"]):
            compare(*options, "/usr/share/zoneinfo", "/etc", "/usr/bin", user=user, quick=True)
            compare(*options, "/usr/include", user=user, quick=True)


# --- names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", LOCALES)
def test_odd_names_in_lines_and_messages(top, compare, locale, sandbox):
    for name in ODD_NAMES:
        directory = os.path.join(os.fsencode(top), name)
        os.mkdir(directory)
        fill(pathlib.Path(os.fsdecode(directory)) / "file")
        os.chmod(directory, 0)
    for user in everyone(sandbox):
        for options in ([], ["-a"], ["-0"]):
            compare(*options, env={"LC_ALL": locale}, user=user)
    compare("--", *[b"missing" + name for name in ODD_NAMES], env={"LC_ALL": locale})
    compare("--", *ODD_NAMES, env={"LC_ALL": locale})
    for name in ODD_NAMES:
        how = {"env": {"LC_ALL": locale}, "quick": True}
        compare("--files0-from", b"missing" + name, **how)
        compare("-X", b"missing" + name, **how)
        compare("--files0-from=-", b"extra" + name, **how)
        for option in ("-B", "-t", "-d", "--time=", "--time-style=", "--time-style=+"):
            compare("--time", *([option.encode() + name] if option.endswith(("=", "+")) else [option, name]), "-s", **how)
    if not sandbox.is_root:
        for name in ODD_NAMES:
            os.chmod(os.path.join(os.fsencode(top), name), 0o755)


def test_long_paths(top, compare):
    at = os.open(top, os.O_DIRECTORY)
    for _ in range(60):
        os.mkdir(b"n" * 200, dir_fd=at)
        below = os.open(b"n" * 200, os.O_DIRECTORY, dir_fd=at)
        os.close(os.open(b"file", os.O_CREAT | os.O_WRONLY, dir_fd=below))
        os.close(at)
        at = below
    os.close(at)
    # Not with -L: there GNU du uses full paths, and fails where they are too long.
    for options in ([], ["-a"], ["-s"], ["-d30"], ["-S"], ["-D"], ["--inodes", "-c", "."]):
        compare(*options)
    compare("n" * 200 + "/" + "n" * 200, ".")
    compare("n" * 256, "/".join(["n" * 200] * 30), "n/" * 3000)


# --- huge directories -------------------------------------------------------------------------------


def make_huge(top, count, links=True):
    """`count` entries whose inodes are in another order than their names: files, directories with a file
    in them, hard links between both and to `outside`, which lies before and after them."""
    rng = random.Random(count)
    huge = top / "huge"
    huge.mkdir(parents=True)
    for name in ("aaa", "zzz"):
        fill(top / name / "outside", 9000)
    numbers = list(range(count))
    rng.shuffle(numbers)
    at = os.open(huge, os.O_DIRECTORY)
    every = max(1, count // 300)
    for place, number in enumerate(numbers):
        name = b"%x-%d" % (number * 2654435761 % 2**32, number)
        if place % every == 0:
            os.mkdir(name, 0o755, dir_fd=at)
            fill(huge / os.fsdecode(name) / "file", 1000 * (place % 7))
            if links and place % (3 * every) == 0:
                os.link(huge / os.fsdecode(name) / "file", huge / f"link-{number}")
        elif links and place % every == 1:
            os.link(top / rng.choice(["aaa", "zzz"]) / "outside", name, dst_dir_fd=at)
        else:
            os.mknod(name, stat.S_IFREG | 0o644, dir_fd=at)
    os.close(at)
    return huge


HUGE = [
    *[(kind, 12_000) for kind in ("host", "tmpfs", "ext4", "xfs", "btrfs")],
    ("ext4", 9_700), ("ext4", 10_000), ("ext4", 10_030), ("ext4", 104_000), ("ext4", 111_000), ("tmpfs", 104_000),
]  # fmt: skip


@pytest.mark.parametrize("kind, count", HUGE)
def test_huge_directories_are_sorted_as_gnu_does(tools, sandbox, kind, count):
    top = on(sandbox, kind) / "huge-case"
    try:
        huge = make_huge(top, count)
        listed = [entry.name for entry in os.scandir(huge) if entry.is_dir(follow_symlinks=False)]
        for options, threads in (([b"huge"], (1, 16)), ([b"-a", b"."], (2, 64)), ([b"-S", b"zzz", b"huge", b"aaa"], (16, 1)), ([b"-s", b"huge", b"huge/" + os.fsencode(listed[-1])], (2,))):
            outcome = tools.check_quickly(Invocation(options, cwd=os.fsencode(top)), threads)
            if options == [b"huge"] and kind == "ext4" and count > 11_000:
                printed = [line.split(b"/")[-1].decode() for line in outcome.out.splitlines()[:-1]]
                assert sorted(printed) == sorted(listed) and printed != listed  # else the case has no point
    finally:
        sandbox.remove(os.fsencode(top))


SPLIT = [
    ("ext4", 12_000, True), pytest.param("ext4", 111_000, True, marks=pytest.mark.soak), ("ext4-linear", 12_000, True), ("xfs", 12_000, True), ("btrfs", 12_000, True),
    ("tmpfs", 12_000, False), ("overlay", 12_000, False),
]  # fmt: skip


@pytest.mark.parametrize("kind, count, is_split", SPLIT)
def test_huge_directories_that_several_workers_list(tools, sandbox, kind, count, is_split):
    """Ranges of a listing's offsets, where the filesystem's allow it, split as often as it goes."""
    top = on(sandbox, kind) / "split-case"
    try:
        make_huge(top, count)
        for tuning in ("share,buffer=2000,split=1", "share,buffer=9000,split=20000,piece=3,limits=3"):
            env = {"TRAWL_TUNING": tuning}
            for options in ([], [b"-a"], [b"-s"], [b"-S", b"zzz", b"huge", b"aaa"], [b"--inodes", b"huge"]):
                tools.check_quickly(Invocation(options, cwd=os.fsencode(top), env=env), (1, 2, 16))
        outcome = subprocess.run(
            [tools.trawl, "du", "--stats=json", "--threads=4", "-s", "huge"], cwd=top, capture_output=True, check=True,
            env={**os.environ, "TRAWL_TUNING": "share,buffer=2000,split=1"})
        assert (json.loads(outcome.stderr)["total"]["range_splits"] > 0) == is_split
    finally:
        sandbox.remove(os.fsencode(top))


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["ext4", "tmpfs"])
@pytest.mark.parametrize("count", [199_999, 209_990, 211_000])
def test_huge_directories_of_several_runs(tools, sandbox, kind, count):
    top = on(sandbox, kind) / "huge-case"
    try:
        make_huge(top, count)
        for options in ([], [b"-a"], [b"-S", b"huge", b"aaa"], [b"aaa", b".", b"-a"]):
            tools.check(Invocation(options, cwd=os.fsencode(top)))
    finally:
        sandbox.remove(os.fsencode(top))


# --- figures ----------------------------------------------------------------------------------------

SIZES = sorted({
    max(0, base * factor + offset)
    for factor in (1, 9, 10, 99, 100, 999, 1000, 1023, 1024)
    for base in (1, 1000, 1024, 10**6, 2**20, 10**9, 2**30)
    for offset in (-1, 0, 1)
} | {int(1.05 * 2**20), int(9.95 * 1024), int(9.94 * 1024), 10239, 10240, 10241, 1536, 2**40, 15 * 2**38})  # fmt: skip


@pytest.fixture
def sizes(top):
    for size in SIZES:
        with open(top / str(size), "wb") as file:
            file.truncate(size)
    return top


@pytest.mark.parametrize("size", BLOCK_SIZES + BAD_BLOCK_SIZES)
def test_block_sizes(sizes, compare, size):
    for options in (["-B", size], [f"-B{size}"], [f"--block-size={size}"]):
        compare("-a", "--apparent-size", *options, quick=True)
    compare("-a", "-B", size)
    compare("-a", "-B", size, "-c", "--apparent-size", "-h", quick=True)
    compare("-a", "-h", "--apparent-size", "-B", size, quick=True)


def test_units(sizes, compare):
    for options in ([], ["-h"], ["--si"], ["-b"], ["-k"], ["-m"], ["-hk"], ["-kh"], ["-bh"], ["-hb"], ["--si", "-h"], ["-bm"], ["-mb"], ["-b", "-B1K"]):
        compare("-a", *options)
        compare("-a", "--apparent-size", *options)
        compare("-a", "--inodes", *options)


@pytest.mark.parametrize("size", SIZES_IN_ENVIRONMENT)
def test_sizes_in_the_environment(sizes, compare, size):
    for name in ("DU_BLOCK_SIZE", "BLOCK_SIZE", "BLOCKSIZE"):
        for more in ({}, {"POSIXLY_CORRECT": ""}, {"BLOCK_SIZE": "3"}, {"DU_BLOCK_SIZE": ""}):
            compare("-a", "--apparent-size", env={name: size} | more, quick=True)
        compare("-b", env={name: size}, quick=True)
        compare("-B7", "--inodes", env={name: size}, quick=True)


def test_sums_beyond_64_bits(tools, sandbox):
    top = on(sandbox, "tmpfs") / "endless"
    try:
        for i in range(5):
            fill(top / f"d{i % 2}" / f"file{i}", 10)
            os.truncate(top / f"d{i % 2}" / f"file{i}", 2**63 - 1)
        for options in ([b"-b"], [b"-ab"], [b"--apparent-size", b"-h"], [b"-bS"], [b"-bc", b"d0", b"d1", b"d0"], [b"-bs"], [b"-ab", b"-t-1"], [b"-bt", b"8E"], [b"--apparent-size", b"-B", b"E"]):
            outcome = tools.check(Invocation(options, cwd=os.fsencode(top)))
            assert options != [b"-b"] or b"Infinity" in outcome.out
    finally:
        sandbox.remove(os.fsencode(top))


def test_inodes(links, compare):
    for options in ([], ["-a"], ["-l"], ["-S"], ["-s"], ["-h"], ["--si"], ["-B2"], ["-k"], ["-c"], ["-b"], ["--apparent-size"], ["-t3"], ["-t-3"], ["-d1"], ["-L"]):
        compare("--inodes", *options)
        compare(*options, "--inodes", "b", "a")


# --- times ------------------------------------------------------------------------------------------


@pytest.fixture
def times(top):
    for i, time in enumerate(ODD_TIMES):
        fill(top / f"d{i}/sub/file", 10)
        os.utime(top / f"d{i}/sub/file", ns=(time, time))
        os.utime(top / f"d{i}/sub", ns=(time - 5, time - 5))
        os.utime(top / f"d{i}", ns=(-(10**18), -(10**18)))
    (top / "first").mkdir()
    return top


@pytest.mark.parametrize("zone", TIME_ZONES)
def test_time_zones(times, compare, zone):
    for options in ([], ["-a"], ["--time-style=full-iso"], ["--time-style=+%c %Z %z %s"], ["-S"], ["-s"], ["-c"]):
        # GNU du takes the epoch for the earliest time there is in what it prints first of all, and its
        # ancestors. That is not copied; an empty directory comes first.
        compare("--time", *options, "first", ".", env={"TZ": zone}, quick=True)


@pytest.mark.parametrize("style", TIME_STYLES + BAD_TIME_STYLES)
def test_time_styles(times, compare, style):
    for locale in LOCALES:
        compare("--time", f"--time-style={style}", "-a", env={"LC_ALL": locale, "TZ": "Europe/Berlin"}, quick=True)
    compare(f"--time-style={style}", "d0")
    compare("--time", "d0", "d1", env={"TIME_STYLE": style})


@pytest.mark.parametrize("style", FORMATS_OF_TIME_STYLE)
def test_time_style_in_the_environment(times, compare, style):
    compare("--time", "d0", "d1", env={"TIME_STYLE": style})
    compare("--time", "--time-style", style, "d0", "d1")
    compare("--time", "--time-style", "iso", "d0", "d1", env={"TIME_STYLE": style})
    compare("d0", env={"TIME_STYLE": style})


@pytest.mark.parametrize("word", TIME_WORDS + BAD_TIME_WORDS)
def test_kinds_of_time(times, compare, sandbox, word):
    if not sandbox.can_mount and word.startswith(("a", "u")):
        pytest.skip("access times change while they are looked at; keeping them takes a mount")
    compare(f"--time={word}", "--time-style=full-iso", "-a")
    compare("--time", f"--time={word}", "--time-style=full-iso", "d0")
    compare(f"--time={word}", "--time", "--time-style=full-iso", "d0")


def test_times_that_no_calendar_knows(tools, sandbox):
    top = on(sandbox, "tmpfs") / "times"
    try:
        for i, second in enumerate((2**62, -(2**62), 67768036191676799, 67768036191676800, -67768040609740800, -67768040609740801)):
            fill(top / f"d{i}/file", 10)
            try:
                os.utime(top / f"d{i}/file", ns=(second * 10**9, second * 10**9))
            except OverflowError:
                set_time(top / f"d{i}/file", second)
        for style in ("full-iso", "+%Y", "+%s", "+x", "+"):
            tools.check(Invocation([b"-a", b"--time", b"--time-style=" + style.encode()], cwd=os.fsencode(top)))
            tools.check(Invocation([b"-ac", b"--time", b"--time-style=" + style.encode(), b"."], cwd=os.fsencode(top), env={"LC_ALL": "C.UTF-8"}))
    finally:
        sandbox.remove(os.fsencode(top))


def set_time(path, second):
    """os.utime takes nanoseconds in 64 bits; the kernel takes more."""
    import ctypes

    class Timespec(ctypes.Structure):
        _fields_ = [("seconds", ctypes.c_int64), ("nanoseconds", ctypes.c_long)]

    both = (Timespec * 2)((second, 0), (second, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.utimensat(-100, os.fsencode(path), both, 0) == 0, os.strerror(ctypes.get_errno())


# --- exclusion --------------------------------------------------------------------------------------

EXCLUDED_NAMES = ["a", "A", "ab", "abc", ".a", "a.b", "a.o", "a*", "a?b", "[ab]", "[", "]", "a]", "a\\b", "\\", "*", "a b", " a", "a ",
                  "#a", "a-b", "!a", "^a", "é", "ä", "漢", "b/a", "b/ab/a", "c/b/a", "c/.a", "-", "a\nb", "Z", "z", "0"]  # fmt: skip
PATTERNS = ["", "a", "A", "a*", "*a", "*", "?", "??", ".*", "*.*", ".", "./a", "./b", "b/a", "/a", "a/", "b/", "b/*", "*/a", "c/*/a", "c/*a",
            "[ab]", "[!a]", "[^a]", "[a-c]*", "[]]", "[!]]", "[]a]", "[", "[a", "\\[", "\\[ab]", "\\*", "*\\*", "a\\*", "a\\?b", "\\a", "a\\",
            "\\\\", "\\", "[[:alpha:]]", "[[:digit:]]", "[[:upper:]]*", "[[:punct:]]*", "[[:foo:]]", "[[=a=]]", "[[.a.]]", "[[.-.]]", "[z-a]",
            "[a-]*", "[-a]*", "[!-]", "[\\]]", "[\\a]", "a?b", "a[?]b", "a[ ]b", "é", "?*[!a]", "[é]", "[ä-é]", "??b", "***", "*a*b*", "a**b",
            "#a", "!a", "\\!a", " a", "a ", "c//b", "c/b/", "./c", "..", "b/ab", "ab/a", "*/ab", "b*a", "c*a", "c?b", "a\nb", "a*\n*b", "[\n]", "*[\n]*",
            "漢", "[漢]", "[一-龥]", "\\漢", "(a|b)", "@(a|b)", "+(a)", "{a,b}", "~", "[a-c-e]", "[/]", "b[/]a", "[!/]", "[a/b]"]  # fmt: skip


@pytest.fixture
def excluded(top):
    for name in EXCLUDED_NAMES:
        if not (top / name).exists():
            fill(top / name)
    fill(top / os.fsdecode(b"\xff"))
    fill(top / os.fsdecode(b"a\xffb"))
    return top


@pytest.mark.parametrize("locale", LOCALES)
def test_excluded_patterns(excluded, compare, locale):
    for pattern in PATTERNS:
        how = {"env": {"LC_ALL": locale}, "quick": True}
        compare("-a", "--exclude", pattern, **how)
        compare("-a", "--exclude", pattern, "--exclude=b", "-l", "c", "a", "./b//", excluded, **how)
    for pattern in (b"\xff", b"?", b"a?b", b"[\xff]", b"*\xff*", b"[!a]", b"a\xff*", b"\\\xff", b"\xc3", b"[\xc3]"):
        compare("-a", b"--exclude=" + pattern, env={"LC_ALL": locale}, quick=True)


@pytest.mark.parametrize("content", [
    b"", b"\n", b"a", b"a\n", b"a\nab\n", b"a \n", b" a\n", b"a\t\n", b"#a\n", b"\n\n\na\n", b"a\r\n", b"a\\ \n", b"a\0b\n", b"\xff\n", b"b/a\n",
    b"*\n", b"!a\n", b"a\\\n", b"  \n", b"a\nab\n*c\n[ab]\nb\n", b"a\\*\n", b"a" * 10_000 + b"\n",
])  # fmt: skip
def test_exclusion_from_files(excluded, compare, content, sandbox):
    listed = pathlib.Path(os.fsdecode(sandbox.path)) / "patterns"
    listed.write_bytes(content)
    compare("-a", "-X", listed)
    compare("-a", f"--exclude-from={listed}", "--exclude=abc", "c", "b", "a")
    compare("-a", "-X", "-", stdin=content)
    compare("-a", "-X", listed, "-X", listed, "-X", "/dev/null", quick=True)
    listed.unlink()


# --- names from files -------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [
    b"", b"\0", b"a\0", b"a", b"a\0b", b"a\0\0b\0", b"\0\0\0", b"a\0missing\0b", b"a\0a\0", b"-", b"-\0a\0", b"a\n", b"a\n\0", b"b\0b/a\0b",
    b"\xff\0", b"x" * 300 + b"\0a", b"x/" * 5000 + b"\0a", b"a\0" * 3000, b"a\0b\0c\0--threads=0\0-s\0", b"./a\0\0.//a\0" * 3, b"c\0b\0.\0",
])  # fmt: skip
def test_files0_from(excluded, compare, content, sandbox):
    listed = pathlib.Path(os.fsdecode(sandbox.path)) / "names"
    listed.write_bytes(content)
    for options in ([], ["-a"], ["-s"], ["-c"], ["-l"], ["--exclude=a"], ["-cs", "--inodes"]):
        compare(*options, f"--files0-from={listed}", quick=True)
        compare(*options, "--files0-from", "-", stdin=content, quick=True)
    compare("--files0-from=/dev/stdin", stdin=content)
    compare(f"--files0-from={listed}", "extra")
    compare(f"--files0-from={listed}", "--files0-from=-", stdin=b"b\0", quick=True)
    listed.unlink()


def test_files0_from_what_is_no_file(excluded, compare, sandbox):
    for name in ("missing", ".", "", "b", "/dev/null", "/", "a/x", "missing\n"):
        compare("-c", f"--files0-from={name}")
    os.chmod(excluded / "abc", 0)
    for user in everyone(sandbox):
        compare("--files0-from=abc", user=user)
        compare("-X", "abc", user=user)


# --- mounts -----------------------------------------------------------------------------------------


def test_one_file_system(top, compare, sandbox, tools):
    need_mounts(sandbox)
    for name in ("a/tmpfs/under", "a/bound", "b/c/d", "a/e"):
        fill(top / name / "file")
    fill(top / "onto")
    sandbox.mount(b"tmpfs", os.fsencode(top / "a/tmpfs"), b"mode=755")
    fill(top / "a/tmpfs/x/file", 20_000)
    fill(top / "a/tmpfs/file", 30_000)
    sandbox.bind(os.fsencode(top / "b"), os.fsencode(top / "a/bound"))
    sandbox.bind(os.fsencode(top / "a/tmpfs/file"), os.fsencode(top / "onto"))
    os.symlink("a/tmpfs/x", top / "link")
    os.symlink("../a/tmpfs/file", top / "b/link")
    for options in (["-x"], ["-xa"], ["-xs"], ["-xL"], ["-xLa"], ["-xD"], ["-xl"], ["-xS"], ["-x", "--inodes"], ["-xad1"], [], ["-a"], ["-L"]):
        for operands in ([], ["a"], ["a/tmpfs"], ["a", "a/tmpfs"], ["a/tmpfs", "a"], ["a/tmpfs", "b", "a"], ["onto"], ["onto", "."], ["link"], ["link/"], ["b", "."], [".", "b"], ["a/tmpfs/x", "a/e"]):
            compare(*options, *operands, quick=True)


@pytest.mark.parametrize("kind", ["tmpfs", "ext4", "xfs", "btrfs", "overlay"])
def test_other_filesystems_below(top, compare, sandbox, kind):
    need_mounts(sandbox)
    home = on(sandbox, kind)
    fill(home / "case/sub/file", 12_345)
    fill(top / "own/file")
    (top / "on").mkdir()
    (top / "on2").mkdir()
    sandbox.bind(os.fsencode(home), os.fsencode(top / "on"))
    sandbox.bind(os.fsencode(home / "case"), os.fsencode(top / "on2"))
    try:
        for options in ([], ["-a"], ["-x"], ["-xa"], ["-s"], ["-S"], ["-l"], ["--inodes"], ["-L"], ["-b"]):
            compare(*options)
            compare(*options, "on", "on2", "own", quick=True)
            compare(*options, "on2", ".", quick=True)
            compare(*options, home, ".", quick=True)
    finally:
        sandbox.remove(os.fsencode(home / "case"))


def test_mounts_that_lead_back(top, compare, sandbox):
    need_mounts(sandbox)
    for name in ("a/b/c/up", "a/b/again", "a/d", "e/f"):
        fill(top / name / "file")
    sandbox.bind(os.fsencode(top / "a"), os.fsencode(top / "a/b/c/up"))
    sandbox.bind(os.fsencode(top / "e"), os.fsencode(top / "a/b/again"))
    sandbox.bind(os.fsencode(top / "a/d"), os.fsencode(top / "e/f"))
    os.symlink("..", top / "a/d/link")
    for options in ([], ["-a"], ["-l"], ["-s"], ["-S"], ["-x"], ["-L"], ["-Ll"], ["--inodes"], ["-d1"], ["-d2"]):
        for operands in ([], ["a"], ["a", "e"], ["e", "a"], ["a/b/c/up", "a"], ["a/b/again", "e"], ["e/f", "a/d"], [".", "a/b"]):
            compare(*options, *operands, quick=True)


# --- command line -----------------------------------------------------------------------------------


def test_abbreviations(top, compare):
    fill(top / "a/b/file")
    values = {"block-size": "K", "exclude": "b", "exclude-from": "/dev/null", "files0-from": "/dev/null", "max-depth": "1",
              "threshold": "1", "time-style": "+%Y", "time": "ctime"}  # fmt: skip
    for name, prefixes in ABBREVIATIONS.items():
        for prefix in prefixes:
            if name in ("help", "version"):
                continue
            if LONG[name] is not False:
                compare(f"--{prefix}={values[name]}", "--time-style=+", quick=True)
            if LONG[name]:
                compare(f"--{prefix}", values[name], quick=True)
                compare(f"--{prefix}")
            else:
                compare(f"--{prefix}", "--time-style=+", quick=True)
            if LONG[name] is False:
                compare(f"--{prefix}=x")


def test_ambiguous_prefixes_are_refused(tools, top):
    """The list of possibilities is longer than GNU's where trawl has options of its own."""
    for name in ("a", "b", "c", "d", "e", "ex", "h", "n", "s", "t", "ti", "exclud", "dereferenc", "dereference-", "tim"):
        invocation = Invocation([f"--{name}".encode()], cwd=os.fsencode(top))
        theirs, ours = tools.gnu(invocation), tools.ours(invocation)
        if theirs.status == 1:
            assert (ours.status, ours.out) == (1, b"")
            assert ours.err.splitlines()[-1] == theirs.err.splitlines()[-1]
            assert ours.err.startswith(f"du: option '--{name}' is ambiguous; possibilities: '--".encode())
            possibilities = theirs.err.splitlines()[0].split(b": ")[-1].split(b" ")
            assert set(possibilities) <= set(ours.err.splitlines()[0].split(b": ")[-1].split(b" "))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("args", [
    ["--bogus"], ["--bogus=x"], ["-Z"], ["-aZ"], ["-Za"], ["--all=x"], ["-B"], ["-d"], ["-t"], ["-X"], ["--block-size"], ["--max-depth"], ["--exclude"],
    ["--files0-from"], ["--time-style"], ["--threshold"], ["-s", "-a"], ["-a", "-s", "missing"], ["-s", "-d1"], ["-s", "--max-depth=18446744073709551615"],
    ["-d", "x", "-d", "y"], ["-d", "x", "-B", "y"], ["-B", "y", "-d", "x"], ["-t", "x", "--bogus"], ["--bogus", "-t", "x"], ["--bogus", "-Z"],
    ["missing"], ["missing", "a", "missing2"], [""], ["a", ""], ["", "a", "", "-c"], ["--", "-a"], ["--", "--"], ["-"], ["--inodes", "-b"], ["-b", "--inodes"],
    ["--inodes", "--apparent-size", "-h"], ["--time=bogus"], ["--time="], ["--time", "ctime"], ["--time-style=bogus"], ["--time", "--time-style=bogus"],
    ["-X", "missing"], ["-X", "missing", "-X", "missing2"], ["-X", "a"], ["-X", "missing", "-d", "x", "missing"], ["--files0-from=missing", "a"], ["-\xc3"], ["-é"], ["--é"],
    ["-s", "-d0"], ["-sd0", "-a"], ["--h=x"], ["--si=5"], ["-h5"], ["--max-depth=-1"], ["-d-1"], ["-d", "-1"], ["--no"], ["--version=x"], ["--help=x"],
    ["a/", "a//file", "b"], ["-S=x"], ["---"], ["--="], ["--=x"], ["-=", "a"], ["- a"], ["-a", "-", "b"], ["a", "--", "-b"], ["-L=x"], ["-0=x"],
])  # fmt: skip
def test_bad_input(top, compare, args, locale):
    fill(top / "a/file")
    fill(top / "b")
    for more in ({}, {"POSIXLY_CORRECT": "1"}):
        compare(*args, env={"LC_ALL": locale} | more)


def test_bad_arguments(top, compare):
    for locale in LOCALES:
        for option, name, values in (("-B", "block-size", BAD_BLOCK_SIZES), ("-d", "max-depth", BAD_DEPTHS + ["-1"]), ("-t", "threshold", BAD_THRESHOLDS)):
            for value in values:
                for words in ([f"{option}{value}"], [option, value], [f"--{name}={value}"], [f"--{ABBREVIATIONS[name][-1]}", value]):
                    compare(*words, env={"LC_ALL": locale}, quick=True)


def test_permutation(top, compare):
    fill(top / "a/b/file")
    for env in ({}, {"POSIXLY_CORRECT": "1"}):
        for args in (["a", "-a"], ["a", "-s", "a/b"], ["a", "--", "-s"], ["-c", "a", "-d", "0"], ["a", "-d"], ["a", "--bogus"], ["--", "a", "-s"], ["a", "-s", "--", "-a"]):
            compare(*args, env=env)


def test_many_operands(top, compare):
    for i in range(3000):
        (top / f"d{i % 1000}").mkdir(exist_ok=True)
        fill(top / f"d{i % 1000}/f{i}", i)
    operands = [f"d{i}" for i in range(1000)]
    for options in ([], ["-s"], ["-c"], ["-a"], ["-S"], ["--inodes", "-c"]):
        compare(*options, *operands, *reversed(operands), quick=True)
        compare(*options, *[f"d{i % 1000}/f{i}" for i in range(3000)], ".", quick=True)


def test_operands_within_operands(top, compare, sandbox):
    """In all orders and spellings; where errors come, too."""
    for name in ("p/a", "p/b", "p/c/d", "p/c/e", "q"):
        fill(top / name / "x/file", 5000)
        os.link(top / name / "x/file", top / name / "again")
        (top / name / "closed").mkdir()
        (top / name / "closed").chmod(0)
    (top / "p/b").chmod(0)
    os.symlink("p/c", top / "link")
    operands = ["p", "p/c", "q", "./p//a", "p/c/e/x", "p/c/e/x/file", "p/b", "link/d", "missing", "p/c/../c/d", os.fspath(top / "p/a/x"), "."]
    rng = random.Random(1)
    for options in ([], ["-s"], ["-d1"], ["-a"], ["-S"], ["-l"], ["-L"], ["-D"], ["-c"], ["-s", "--exclude=c"], ["-s", "--exclude=p/c"], ["--inodes", "-d0"], ["-x", "-s"]):
        for _ in range(4):
            rng.shuffle(operands)
            compare(*options, *operands[: rng.randint(2, len(operands))], user=NOBODY if sandbox.is_root else None, quick=True)
    (top / "p/b").chmod(0o755)


def test_what_operands_have_in_common_is_walked_once(top, tools):
    """A chain of 200 directories given one by one, and one directory given 500 times."""
    path = top
    for _ in range(200):
        path /= "d"
    path.mkdir(parents=True)
    chain = ["d" + "/d" * i for i in range(200)]
    for operands in (chain, chain[::-1], ["d"] * 500, ["d", "./d", "d/", "d/d/.."] * 50):
        for options in (["-s"], []):
            names = b"\0".join(map(os.fsencode, operands))
            outcome = subprocess.run(
                [tools.trawl, "du", "--stats=json", *options, "--files0-from=-"], cwd=top, input=names, capture_output=True, check=True)
            opened = json.loads(outcome.stderr)["total"]["open_calls"]
            assert opened < 3 * 200, (operands[:3], options)


@pytest.mark.parametrize("tuning", ["piece=2,share,limits=3", "piece=1,share", "limits=5"])
def test_forced_decisions_change_nothing(links, compare, tuning):
    """Also through the whole command: TRAWL_TUNING is heard by builds that are tested."""
    for i in range(300):
        fill(links / f"many/{i % 7}/{i}", 100 * i)
        os.link(links / f"many/{i % 7}/{i}", links / f"a/link{i}")
    for options in ([], ["-a"], ["-s"], ["-S"], ["-L"], ["-s", ".", "many/3"], ["--inodes", "-d1"]):
        compare(*options, env={"TRAWL_TUNING": tuning})


def test_unreadable_directories_of_a_huge_one(tools, sandbox):
    """Messages come in the order of fts, which is that of inodes; also where nothing in it has a line."""
    top = on(sandbox, "ext4") / "huge-closed"
    try:
        rng = random.Random(3)
        for i in range(10_500):
            name = top / f"p/{rng.getrandbits(40):x}"
            if i % 500 == 0:
                name.mkdir(parents=True)
                name.chmod(0)
            else:
                os.mknod(name)
        closed = next(entry.name for entry in os.scandir(top / "p") if entry.is_dir())
        for options in ([b"-s", b"."], [b"-d1", b"."], [b"."], [b"-s", b"p", b"p/" + os.fsencode(closed)], [b"-sl", b"."]):
            tools.check_quickly(Invocation(options, cwd=os.fsencode(top), user=NOBODY if sandbox.is_root else None), (1, 16))
    finally:
        sandbox.remove(os.fsencode(top))


def test_help_and_version(tools):
    for executable, name in ((tools.du, ["du"]), (tools.trawl, ["trawl", "du"])):
        def ask(option):
            done = subprocess.run([*name, option], executable=executable, capture_output=True, text=True, timeout=20)
            assert (done.returncode, done.stderr) == (0, "")
            return done.stdout

        text = ask("--help")
        assert text.startswith(f"Usage: {' '.join(name)} ")
        for option in [*LONG, "threads", "timeout", "json", "progress", "stats"]:
            assert f"--{option}" in text
        assert "trawl" in ask("--version").splitlines()[0]


def test_options_that_gnu_lacks(tools, top):
    """Bad arguments of ours: one line that names the argument, then where to look; exit 1 as du does."""
    fill(top / "a/file")
    for words in (["--threads=0x"], ["--threads=-1"], ["--threads="], ["--timeout=0"], ["--timeout=x"], ["--timeout=-1"], ["--progress=maybe"], ["--threads"]):
        outcome = tools.ours(Invocation([w.encode() for w in words], cwd=os.fsencode(top)))
        assert (outcome.status, outcome.out) == (1, b""), words
        lines = outcome.err.splitlines()
        assert 1 <= len(lines) <= 6 and lines[0].startswith(b"du: "), (words, lines)
        option, _, value = words[0].partition("=")
        assert (value or option.strip("-")).encode() in lines[0], (words, lines)
    for words in (["--threads=3"], ["--progress=never"], ["--timeout=100"], ["--timeout=1m"]):
        invocation = Invocation([b"-a"], cwd=os.fsencode(top))
        assert tools.ours(Invocation([*[w.encode() for w in words], b"-a"], cwd=os.fsencode(top))) == tools.gnu(invocation)
