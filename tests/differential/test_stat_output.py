# SPDX-License-Identifier: Apache-2.0
"""trawl stat against GNU stat, directive by directive, and against Python's os.stat and os.lstat."""

import base64
import json
import os
import random
import stat
import subprocess

import pytest

from differential.tree import ODD_NAMES, ODD_TIMES, Tree

DIRECTIVES = ["%" + letter for letter in "aAbBdDfFgGhimnNorRstTuUwWxXyYzZ"] + ["%Hd", "%Ld", "%Hr", "%Lr", "%%"]
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC0"}


@pytest.fixture(scope="module")
def place(sandbox):
    """Every odd name, every kind of file, odd times and modes."""
    top = os.path.join(sandbox.home("host"), b"stat")
    os.mkdir(top, 0o755)
    yield top
    sandbox.remove(top)


@pytest.fixture(scope="module")
def paths(place, sandbox):
    paths = []
    for i, name in enumerate(ODD_NAMES):
        path = os.path.join(place, name)
        with open(path, "wb") as file:
            file.write(b"x" * (i * 300 % 7000))
        time = ODD_TIMES[i % len(ODD_TIMES)]
        try:
            os.utime(path, ns=(time, ODD_TIMES[-1 - i % len(ODD_TIMES)]))
        except OSError:
            pass  # out of this filesystem's range
        paths.append(path)
        os.symlink(name, os.path.join(place, b"link%d" % i))
        paths.append(os.path.join(place, b"link%d" % i))
    for i, mode in enumerate([0, 0o7777, 0o4755, 0o4644, 0o2755, 0o2644, 0o1777, 0o1666, 0o111]):
        path = os.path.join(place, b"mode%d" % i)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        os.chmod(path, mode)
        if sandbox.is_root:
            os.chown(path, 4_000_000_000 + i, 65534)
            os.chmod(path, mode)
        paths.append(path)
    big = os.path.join(place, b"sparse")
    os.close(os.open(big, os.O_CREAT | os.O_WRONLY))
    os.truncate(big, 5_000_000_001)
    fifo = os.path.join(place, b"fifo")
    os.mkfifo(fifo)
    paths += [big, fifo, place, place + b"/.", place + b"//", b"/", b"/dev/null", b"/dev"]
    if sandbox.is_root:
        for i, (kind, numbers) in enumerate([(stat.S_IFBLK, (259, 70_000)), (stat.S_IFCHR, (4095, 1_048_575))]):
            path = os.path.join(place, b"device%d" % i)
            os.mknod(path, kind | 0o640, os.makedev(*numbers))
            paths.append(path)
    links = os.path.join(place, b"links")
    os.mkdir(links)
    os.close(os.open(os.path.join(links, b"0"), os.O_CREAT | os.O_WRONLY))
    for i in range(1, 30):
        os.link(os.path.join(links, b"0"), os.path.join(links, b"%d" % i))
    return paths + [os.path.join(links, b"7")]


def run(command, paths, environment=None):
    done = subprocess.run([*command, "--", *paths], capture_output=True, stdin=subprocess.DEVNULL,
                          env={**ENVIRONMENT, **(environment or {})}, timeout=300)
    return done.returncode, done.stdout, done.stderr


def compare(trawl_path, options, paths, environment=None):
    wanted = run(["stat", *options], paths, environment)
    got = run([trawl_path, "stat", *options], paths, environment)
    assert got[:2] == wanted[:2], (options, environment, wanted[2], got[2])


@pytest.mark.parametrize("directive", DIRECTIVES)
def test_each_directive(trawl_path, paths, directive):
    compare(trawl_path, ["-c", directive], paths)
    compare(trawl_path, ["-L", "-c", directive], [path for path in paths if os.path.exists(path)])


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("style", [None, "literal", "shell", "shell-always", "shell-escape", "shell-escape-always",
                                   "c", "c-maybe", "escape", "locale", "clocale", "lit", "nonsense"])
def test_quoting_styles(trawl_path, paths, style, locale):
    environment = {"LC_ALL": locale} | ({"QUOTING_STYLE": style} if style else {})
    compare(trawl_path, ["-c", "%N"], paths, environment)


@pytest.mark.parametrize("zone", ["UTC0", "Europe/Berlin", "America/St_Johns", "Africa/Monrovia", "Pacific/Apia",
                                  "XYZ-14:30", "<+01>-1:02:03", "right/UTC", "nonsense"])
def test_time_zones(trawl_path, paths, zone):
    compare(trawl_path, ["-c", "%x|%y|%z|%w"], paths, {"TZ": zone})


# Flags, widths and precisions, put together at random, but what nobody can mean: precisions of
# thousands.
@pytest.mark.parametrize("seed", range(60))
def test_flags_widths_and_precisions(trawl_path, paths, seed):
    rng = random.Random(seed)
    pieces = []
    for _ in range(12):
        flags = "".join(rng.choices("'-+ #0I", k=rng.choice([0, 0, 1, 1, 2, 3])))
        width = rng.choice(["", "", "1", "2", "5", "10", "12", "17", "23", "40", "300"])
        precision = rng.choice(["", "", "", ".", ".0", ".1", ".3", ".9", ".12", ".20"])
        letter = rng.choice(DIRECTIVES[:-1])
        if letter == "%N":  # GNU writes an "s" behind a link's target for each flag that it drops
            flags = "-" * flags.count("-")
        pieces.append("%" + flags + width + precision + letter[1:])
    chosen = rng.sample(paths, 25)
    for piece in pieces:
        compare(trawl_path, ["-c", piece], chosen)
    compare(trawl_path, ["-c", "|".join([*pieces, "%N"][: 12 + seed % 2])], chosen)


@pytest.mark.parametrize("format", [
    "", "%n", "plain", "%n\\n", "%%%n%%", "%", "%n%", "\\", "%s%Hd%Ld%d%a", "%.3X %.X %10.2X|%-10.2X|%010.2X",
    "  File: %N\n  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\n", "Access: (%04a/%10.10A)  Uid: (%5u/%8U)",
])  # fmt: skip
def test_formats(trawl_path, paths, format):
    compare(trawl_path, ["-c", format], paths)
    if not format.endswith("\\"):
        compare(trawl_path, ["--printf", format], paths)


@pytest.mark.parametrize("format", [
    r"\a\b\e\f\n\r\t\v\"\\", r"\1\12\123\1234\8"[:-2], r"\x4\x41\x414\xAf", r"%n\0%s\n", r"\101%n",
])
def test_escapes(trawl_path, paths, format):
    compare(trawl_path, ["--printf", format], paths)


def test_mount_points(trawl_path, sandbox, paths):
    if not sandbox.can_mount:
        pytest.skip(sandbox.why_no_mounts)
    home = sandbox.home("tmpfs")
    inside = os.path.join(home, b"a", b"b")
    os.makedirs(inside)
    link = os.path.join(home, b"out")
    os.symlink(b"/proc", link)
    some = [home, inside, os.path.join(inside, b"..", b"."), link, os.path.join(link, b"self"), b"/sys", b"/"]
    compare(trawl_path, ["-c", "%m %n"], some)
    compare(trawl_path, ["-L", "-c", "%m %n"], some)
    os.unlink(link)  # others list this home


# --- random trees ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_random_trees(trawl_path, sandbox, seed):
    rng = random.Random(seed)
    kind = rng.choice(["host", "tmpfs"] if sandbox.can_mount else ["host"])
    top = os.path.join(sandbox.home(kind), b"stat-tree")
    tree = Tree(rng, top, sandbox).build()
    try:
        found = []
        for directory, names, files in os.walk(top):
            found += [os.path.join(directory, name) for name in [*names, *files]]
        found = [path for path in found if len(path) < 4000] or [top]
        text = b"\0".join(found) + b"\0"
        format = "%n|%a|%A|%b|%B|%d|%D|%f|%F|%g|%G|%h|%i|%N|%o|%r|%R|%s|%t|%T|%u|%U|%w|%.9W|%x|%.9X|%y|%.Y|%z|%Z"
        for follow in ([], ["-L"]):
            wanted = subprocess.run(["xargs", "-0", "stat", *follow, "--printf", format + "\\n", "--"], input=text,
                                    capture_output=True, env=ENVIRONMENT, timeout=300).stdout
            got = subprocess.run([trawl_path, "stat", "-0", "--files-from=-", *follow, "--printf", format + "\\n"],
                                 input=text, capture_output=True, env=ENVIRONMENT, timeout=300).stdout
            assert got == wanted
        compare_with_python(trawl_path, found, False)
        compare_with_python(trawl_path, found, True)
    finally:
        tree.remove()


# --- Python ----------------------------------------------------------------------------------------


def bytes_of(object, key):
    encoded = object.get(key + "_base64")
    return base64.b64decode(encoded) if encoded else object[key].encode()


TYPES = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink", stat.S_IFBLK: "block_device",
         stat.S_IFCHR: "character_device", stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket"}


def compare_with_python(trawl_path, paths, follow):
    option = ["-L"] if follow else []
    text = b"\0".join(paths) + b"\0"
    names = ["mode", "links", "uid", "gid", "device", "inode", "rdev", "size", "blocks", "disk_usage", "block_size"]
    outputs = [subprocess.run([trawl_path, "stat", "-0", "--files-from=-", *option, *form], input=text,
                              capture_output=True, env=ENVIRONMENT, timeout=300).stdout
               for form in (["--json"], ["--fields", " ".join("{%s}" % name for name in names)])]
    objects = [json.loads(line) for line in outputs[0].splitlines()]
    fields = iter(outputs[1].split(b"\0"))
    assert len(objects) == len(paths)
    for path, object in zip(paths, objects):
        assert bytes_of(object, "path") == path
        try:
            info = os.stat(path, follow_symlinks=follow)
        except OSError as error:
            assert object["error"]["errno"] == error.errno, path
            continue
        wanted = {
            "type": TYPES[stat.S_IFMT(info.st_mode)], "mode": "%04o" % stat.S_IMODE(info.st_mode),
            "links": info.st_nlink, "uid": info.st_uid, "gid": info.st_gid, "device": info.st_dev,
            "inode": info.st_ino, "size": info.st_size, "blocks": info.st_blocks,
            "disk_usage": info.st_blocks * 512, "block_size": info.st_blksize,
        }  # fmt: skip
        for name in ("atime", "mtime", "ctime"):
            seconds, nanoseconds = divmod(getattr(info, f"st_{name}_ns"), 10**9)
            wanted[name] = {"seconds": seconds, "nanoseconds": nanoseconds}
        assert {name: object[name] for name in wanted} == wanted, path
        if stat.S_ISLNK(info.st_mode):
            assert bytes_of(object, "target") == os.readlink(path)
        wanted["rdev"] = info.st_rdev
        assert next(fields).decode() == " ".join(str(wanted[name]) for name in names), path


@pytest.mark.parametrize("follow", [False, True])
def test_against_python(trawl_path, paths, follow):
    compare_with_python(trawl_path, paths, follow)
