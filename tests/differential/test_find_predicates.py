# SPDX-License-Identifier: Apache-2.0
"""Each test of `trawl find` against GNU find's, on every kind of file, odd times, modes and owners."""

import os
import socket
import subprocess
import time

import pytest

ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC0", "HOME": "/nonexistent"}
MODES = [0, 0o7777, 0o4755, 0o2755, 0o1777, 0o644, 0o600, 0o111, 0o100, 0o640, 0o022]
SIZES = [0, 1, 511, 999, 1000, 1001, 1023, 1024, 1025, 999_999, 1_000_000, 1 << 20, 5_000_000_001]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    top = tmp_path_factory.mktemp("place")
    os.chdir(top)
    for directory in ("d", "d/deep", "d/deep/er", "empty", "e.mpty.d", "d/.hidden"):
        os.mkdir(directory)
    for i, size in enumerate(SIZES):
        name = f"d/size{i}.{'txt' if i % 2 else 'TAR.gz'}"
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
        os.truncate(name, size)
    for i, mode in enumerate(MODES):
        name = f"d/deep/mode{i}"
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
        if os.geteuid() == 0:
            os.chown(name, [0, 1, 65534, 4_000_000_000][i % 4], [0, 1, 12345][i % 3])
        os.chmod(name, mode)
        os.mkdir(f"d/deep/er/{i}")
        os.chmod(f"d/deep/er/{i}", mode)
    for i in range(4):
        os.link("d/size1.txt", f"d/link{i}")
    for i, seconds in enumerate([0, 1, -1, 86_400, 10**9, 1_600_000_000, 2**31, time.time() - 3600, time.time() - 86_000,
                                 time.time() - 90_000, time.time() + 3600]):  # fmt: skip
        name = f"d/.hidden/time{i}"
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
        ns = int(seconds) * 10**9 + (500_000_000 if i % 2 else 0)
        os.utime(name, ns=(ns, ns))
    os.symlink("size1.txt", "d/symlink")
    os.symlink("nowhere", "d/broken")
    os.symlink("deep", "d/to-directory")
    os.mkfifo("d/pipe")
    if os.geteuid() == 0:
        os.mknod("d/char", 0o20644, os.makedev(1, 3))
        os.mknod("d/block", 0o60644, os.makedev(7, 77))
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("d/socket")
    return top


CASES = [
    (["-t", "f"], ["-type", "f"]),
    (["-t", "d"], ["-type", "d"]),
    (["-t", "l"], ["-type", "l"]),
    (["-t", "p"], ["-type", "p"]),
    (["-t", "s"], ["-type", "s"]),
    (["-t", "b"], ["-type", "b"]),
    (["-t", "c"], ["-type", "c"]),
    (["-tf", "-tl"], ["-type", "f,l"]),
    (["-te"], ["-empty"]),
    (["-te", "-td"], ["-empty", "-type", "d"]),
    (["-te", "-tf"], ["-empty", "-type", "f"]),
    (["-tx"], ["-type", "f", "-perm", "/111"]),
    (["-tx", "-td"], ["(", "-type", "d", "-o", "-type", "f", "-perm", "/111", ")"]),
    (["-e", "txt"], ["-name", "?*.txt"]),
    (["-e", "TXT", "-e", "tar.gz"], ["(", "-iname", "?*.txt", "-o", "-iname", "?*.tar.gz", ")"]),
    (["-S", "0b"], ["-type", "f", "-size", "0c"]),
    (["-S", "1k"], ["-type", "f", "-size", "1000c"]),
    (["-S", "1ki"], ["-type", "f", "-size", "1024c"]),
    (["-S", "+1ki"], ["-type", "f", "-size", "+1023c"]),
    (["-S", "-1m"], ["-type", "f", "-size", "-1000001c"]),
    (["-S", "+1k", "-S", "-1mi"], ["-type", "f", "-size", "+999c", "-size", "-1048577c"]),
    (["-S", "+4g"], ["-type", "f", "-size", "+3999999999c"]),
    (["--changed-within", "2h"], ["-mmin", "-120"]),
    (["--changed-within", "1d"], ["-mmin", "-1440"]),
    (["--changed-before", "1d"], ["!", "-newermt", "1 day ago"]),
    (["--changed-within", "2001-09-09 01:46:40"], ["-newermt", "2001-09-09 01:46:40"]),
    (["--changed-within", "@1599999999"], ["-newermt", "@1599999999"]),
    (["--changed-before", "1970-01-01"], ["!", "-newermt", "1969-12-31 23:59:59.999999999"]),
    (["--newer-than", "d/.hidden/time5"], ["-newer", "d/.hidden/time5"]),
    (["-o", "root"], ["-user", "root"]),
    (["-o", "!root"], ["!", "-user", "root"]),
    (["-o", ":12345"], ["-group", "12345"]),
    (["-o", "1:1"], ["-uid", "1", "-gid", "1"]),
    (["-o", "4000000000:!0"], ["-uid", "4000000000", "!", "-gid", "0"]),
    (["--links", "5"], ["-links", "5"]),
    (["--links", "+1"], ["-links", "+1"]),
    (["--links", "-2"], ["-links", "-2"]),
    (["-d", "2"], ["-maxdepth", "2"]),
    (["--min-depth", "3"], ["-mindepth", "3"]),
    (["--exact-depth", "2"], ["-mindepth", "2", "-maxdepth", "2"]),
    (["--one-file-system"], ["-xdev"]),
    (["-g", "*i*"], ["-iname", "*i*"]),
    (["-s", "-g", "[!a-m]*"], ["-name", "[!a-m]*"]),
    (["-s", "mode[0-5]$"], ["-regextype", "posix-extended", "-regex", ".*/[^/]*mode[0-5]"]),
    (["-F", "size"], ["-name", "*size*"]),
    (["-te", "--max-depth=2", "-td"], ["-maxdepth", "2", "-empty", "-type", "d"]),
] + [
    (["--perm", how + mode], ["-perm", how + mode])
    for how in ("", "-", "/")
    for mode in ("0", "644", "7777", "4000", "111", "022", "u=rw,go=r", "u+s", "g+w,o+w", "a+x", "1000", "ug=rwx")
]  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs"), CASES, ids=lambda words: " ".join(words))
def test_as_find(trawl_path, place, ours, theirs):
    def run(command, start):
        done = subprocess.run(command, cwd=place, env=ENVIRONMENT, capture_output=True, timeout=60,
                              stdin=subprocess.DEVNULL)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return sorted(path.removesuffix(b"/") for path in done.stdout.split(b"\0")[start:-1])

    found = run([trawl_path, "find", "-u0", *ours], 0)
    globals_first = {"-maxdepth", "-mindepth", "-xdev", "-regextype"}
    words = ["-mindepth", "1"] if "-mindepth" not in theirs else []
    if theirs[0] in globals_first:
        wanted = run(["find", ".", *words, *theirs, "-print0"], 0)
    else:
        wanted = run(["find", ".", *words, "(", *theirs, ")", "-print0"], 0)
    assert found == wanted
