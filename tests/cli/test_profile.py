# SPDX-License-Identifier: Apache-2.0
"""`trawl profile`: every key of its document against a naive profile; the report, its sections and messages."""

import base64
import collections
import json
import os
import pathlib
import random
import re
import signal
import stat
import subprocess
import tempfile
import time

import jsonschema
import pytest

from cli.on_terminal import on_terminal
from differential.sandbox import NOBODY
from differential.tree import ODD_NAMES, ODD_TIMES

SCHEMA = json.loads((pathlib.Path(__file__).resolve().parents[2] / "docs/profile.schema.json").read_text())
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC", "COLUMNS": "80"}
TYPES = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink", stat.S_IFBLK: "block_device",
         stat.S_IFCHR: "character_device", stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket"}  # fmt: skip
AGES = [0, 3600, 86400, 7 * 86400, 30 * 86400, 90 * 86400, 365 * 86400, 730 * 86400, 1825 * 86400, 3650 * 86400]


@pytest.fixture
def run(trawl_path):
    def run(*arguments, env=None, **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **options}
        return subprocess.run([trawl_path, "profile", *arguments], timeout=120, env={**ENVIRONMENT, **(env or {})},
                              **options)  # fmt: skip

    return run


@pytest.fixture
def document(run):
    """The JSON document, which must be what its schema says; nothing may go wrong."""

    def document(*arguments, status=0, **options):
        result = run("--json", *arguments, **options)
        assert result.returncode == status, result.stderr
        parsed = json.loads(result.stdout)
        jsonschema.validate(parsed, SCHEMA)
        return parsed

    return document


EXTENSIONS = ["", ".txt", ".TXT", ".tar.gz", ".", ".Ä", ".İ", ".ΑΣ", ".ß", ".\udcffX", ".\udcc3", ".a b", ".\n"]


def hostile_tree(root, seed):
    """Something of everything: odd names, extensions and times, links of both kinds, holes, equal names and sizes."""
    rng = random.Random(seed)
    folders = [os.fsencode(root)]
    files = []
    os.mkdir(folders[0])
    for i in range(60):
        name = rng.choice(ODD_NAMES) if rng.random() < 0.5 else b"d%d" % rng.randrange(8)
        path = os.path.join(rng.choice(folders[-12:]), name)
        if not os.path.lexists(path):
            os.mkdir(path)
            folders.append(path)
    for i in range(300):
        base = rng.choice(ODD_NAMES[:40]) if rng.random() < 0.3 else b"f%d" % rng.randrange(9)
        path = os.path.join(rng.choice(folders), (base + os.fsencode(rng.choice(EXTENSIONS)))[:255])
        if os.path.lexists(path):
            continue
        kind = rng.random()
        if kind < 0.75:
            with open(path, "wb") as file:
                file.write(b"x" * rng.choice([0, 1, 2, 3, 4, 7, 8, 1023, 1024, 5000, rng.randrange(100_000)]))
                if rng.random() < 0.1:
                    file.truncate(10**6)
            os.utime(path, ns=(rng.choice(ODD_TIMES), rng.choice([*ODD_TIMES, time.time_ns() - rng.randrange(10**18)])))
            if os.geteuid() == 0:
                os.chown(path, rng.choice([0, 1, NOBODY, 4_000_000_000]), rng.choice([0, 4_000_000_001]))
            files.append(path)
        elif kind < 0.8 and files:
            os.link(rng.choice(files), path)
            files.append(path)
        elif kind < 0.9:
            os.symlink(rng.choice([b"nothing", b".", b"..", *map(os.path.abspath, files[-5:] + folders[-5:])]), path)
        elif kind < 0.95:
            os.mkfifo(path)
        else:
            os.mknod(path, stat.S_IFSOCK | 0o600)
    return root


def lower_extension(name):
    dot = name.rfind(b".")
    return os.fsencode(os.fsdecode(name[dot:]).lower()) if 0 < dot < len(name) - 1 else b""


def exact(item, key):
    """The bytes of a name in the document."""
    return base64.b64decode(item[key + "_base64"]) if key + "_base64" in item else item[key].encode()


def size_bucket(size):
    return size.bit_length()


def age_bucket(time_ns, now_ns):
    age = now_ns - time_ns
    return sum(age >= limit * 10**9 for limit in AGES)


def naive(root, now_ns, max_depth=None):
    """The profile by the definitions of docs/profile.md, with os.scandir. Keys as in the document, names as bytes."""
    files, folders, types = [], [(root, 0, os.lstat(root))], collections.Counter(directory=1)
    at = 0
    empty, fullest = [], []
    while at < len(folders):
        path, depth, _ = folders[at]
        at += 1
        here = 0
        entries = list(os.scandir(path))
        for entry in entries:
            info = entry.stat(follow_symlinks=False)
            kind = TYPES[stat.S_IFMT(info.st_mode)]
            if kind == "directory":
                if max_depth is None or depth < max_depth:
                    folders.append((entry.path, depth + 1, info))
                else:
                    continue
            if kind == "file":
                files.append((entry.path, entry.name, info))
                here += 1
            types[kind] += 1
        if not entries:
            empty.append(path)
        if here > 0:
            fullest.append((path, here))

    def counts(key, rows):
        table = collections.defaultdict(lambda: [0, 0, 0])
        for name, info in rows:
            entry = table[key(name, info)]
            entry[0] += 1
            entry[1] += info.st_size
            entry[2] += 512 * info.st_blocks
        return sorted(((name, *sums) for name, sums in table.items()), key=lambda row: (-row[1], row[0]))

    def histogram(bucket, size):
        sums = [[0, 0] for _ in range(size)]
        for _, _, info in files:
            sums[bucket(info)][0] += 1
            sums[bucket(info)][1] += info.st_size
        return sums

    rows = [(name, info) for _, name, info in files]
    identities = collections.Counter((info.st_dev, info.st_ino) for _, _, info in files)
    by_identity = {(info.st_dev, info.st_ino): info for _, _, info in files}
    linked = {(info.st_dev, info.st_ino) for _, _, info in files if info.st_nlink > 1}
    sparse = [info for _, _, info in files if 512 * info.st_blocks < info.st_size]
    groups = collections.defaultdict(dict)
    for path, name, info in files:
        if info.st_size > 0:
            group = groups[name, info.st_size]
            identity = info.st_dev, info.st_ino
            group[identity] = min(path, group.get(identity, path))
    groups = [(name, size, len(group), sorted(group.values())) for (name, size), group in groups.items() if len(group) > 1]
    total = sum(info.st_size for _, _, info in files)
    depths = collections.Counter(depth for _, depth, _ in folders)
    names = collections.Counter(os.path.basename(path) for path, _, _ in folders[1:])
    last = max((size_bucket(info.st_size) for _, _, info in files), default=-1)
    return {
        "summary": {
            "total_files": len(files),
            "total_folders": len(folders),
            "total_size_bytes": total,
            "total_size_mb": round(total / (1024 * 1024), 2),
            "avg_files_per_folder": round(len(files) / len(folders), 2),
            "max_depth": max(depths),
            "empty_folder_count": len(empty),
            "total_disk_usage_bytes": sum(512 * info.st_blocks for _, _, info in files),
            "total_links": types["symlink"],
        },
        "empty_folders": sorted(empty),
        "top_folders_by_file_count": sorted(fullest, key=lambda row: (-row[1], row[0])),
        "depth_distribution": {str(depth): depths[depth] for depth in sorted(depths)},
        "extensions": counts(lambda name, info: lower_extension(name), rows),
        "folder_names": sorted(names.items(), key=lambda row: (-row[1], row[0])),
        "file_types": {word: types[word] for word in [*TYPES.values(), "unknown"]},
        "size_histogram": histogram(lambda info: size_bucket(info.st_size), 65)[: last + 1],
        "modified_histogram": histogram(lambda info: age_bucket(info.st_mtime_ns, now_ns), 11),
        "accessed_histogram": histogram(lambda info: age_bucket(info.st_atime_ns, now_ns), 11),
        "largest_files": sorted(((path, info.st_size, info.st_mtime_ns) for path, _, info in files),
                                key=lambda row: (-row[1], row[0])),
        "oldest_files": sorted(((path, info.st_size, info.st_mtime_ns) for path, _, info in files),
                               key=lambda row: (row[2], row[0])),
        "newest_files": sorted(((path, info.st_size, info.st_mtime_ns) for path, _, info in files),
                               key=lambda row: (-row[2], row[0])),
        "owners": [row[:3] for row in counts(lambda name, info: info.st_uid, rows)],
        "groups": [row[:3] for row in counts(lambda name, info: info.st_gid, rows)],
        "hard_links": {
            "names": sum(info.st_nlink > 1 for _, _, info in files),
            "files": len(linked),
            "repeated_bytes": sum((names - 1) * by_identity[each].st_size for each, names in identities.items()),
            "repeated_disk_usage": sum((names - 1) * 512 * by_identity[each].st_blocks for each, names in identities.items()),
        },
        "sparse": {"files": len(sparse), "bytes": sum(info.st_size - 512 * info.st_blocks for info in sparse)},
        "duplicates": {"groups": len(groups), "wasted_bytes": sum((count - 1) * size for _, size, count, _ in groups),
                       "from_size": 1, "candidates": sorted(groups, key=lambda row: (-(row[2] - 1) * row[1], *row[:2]))},
        "approximate": [],
    }  # fmt: skip


def without_names(document):
    """The document with names as bytes and rows as tuples, to be compared with naive()."""

    def rows(key, name, *others):
        return [(exact(row, name) if isinstance(row[name], str) else row[name], *(row[other] for other in others))
                for row in document[key]]  # fmt: skip

    def files(key):
        return [(exact(row, "path"), row["size"], row["mtime"]["seconds"] * 10**9 + row["mtime"]["nanoseconds"])
                for row in document[key]]  # fmt: skip

    def sums(key):
        return [[row["files"], row["bytes"]] for row in document[key]]

    empty = [path.encode("utf-8", "surrogatepass") for path in document["empty_folders"]]
    for index, text in document.get("empty_folders_base64", {}).items():
        empty[int(index)] = base64.b64decode(text)
    same = ["summary", "depth_distribution", "file_types", "hard_links", "sparse", "approximate"]
    return {
        **{key: document[key] for key in same},
        "empty_folders": empty,
        "top_folders_by_file_count": rows("top_folders_by_file_count", "path", "files"),
        "extensions": rows("extensions", "extension", "files", "bytes", "disk_usage"),
        "folder_names": rows("folder_names", "name", "folders"),
        **{key: sums(key) for key in ("size_histogram", "modified_histogram", "accessed_histogram")},
        **{key: files(key) for key in ("largest_files", "oldest_files", "newest_files")},
        "owners": rows("owners", "uid", "files", "bytes"),
        "groups": rows("groups", "gid", "files", "bytes"),
        "duplicates": {**document["duplicates"], "candidates": [
            (exact(each, "name"), each["size"], each["files"], [exact(path, "path") for path in each["paths"]])
            for each in document["duplicates"]["candidates"]]},
    }  # fmt: skip


# --- the document ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed, arguments", [(1, []), (2, ["--threads=8"]), (3, ["--max-depth=2"]),
                                             (4, ["--max-depth=0"])])  # fmt: skip
def test_every_key_is_what_its_definition_says(document, tmp_path, seed, arguments):
    root = os.fsencode(hostile_tree(tmp_path / "tree", seed))
    depth = int(arguments[0][-1]) if arguments and "depth" in arguments[0] else None
    got = document("--top=65536", "--exact", *arguments, root)
    # What is a float has no nanoseconds: no age may be so near to a limit.
    expected = naive(root, int(got["now"] * 10**9), depth)
    ours = without_names(got)
    for key, value in expected.items():
        assert ours[key] == value, key
    assert got["path"] == os.fsdecode(root) and got["complete"] and got["errors"] == []
    assert set(got) - set(expected) == {
        "version", "kind", "path", "complete", "ending", "errors", "file_extensions", "common_folder_names", "now",
        "elapsed_seconds", "statistics", *({"empty_folders_base64"} & set(got))}  # fmt: skip
    assert abs(got["now"] - time.time()) < 100


def test_counts_by_name_are_the_lists(document, tmp_path):
    """Those that look alike are added up."""
    root = hostile_tree(tmp_path / "tree", 5)
    for name in (b"a.\xff", b"b.\xfe", b"c.\xef\xbf\xbd"):
        (root / os.fsdecode(name)).touch()
    got = document("--top=1000", root)
    counts = collections.Counter()
    for row in got["extensions"]:
        counts[row["extension"] or "<no extension>"] += row["files"]
    assert got["file_extensions"] == counts and counts[".\ufffd"] >= 3
    counts = collections.Counter()
    for row in got["folder_names"]:
        counts[row["name"]] += row["folders"]
    assert got["common_folder_names"] == counts


def test_lists_are_cut_at_top(document, tmp_path):
    root = hostile_tree(tmp_path / "tree", 6)
    whole = document("--top=1000", root)
    for arguments, top, folders in (([], 20, 10), (["--top=3"], 3, 3), (["-n", "1"], 1, 1)):
        cut = document(*arguments, root)
        for key in ("extensions", "folder_names", "owners", "groups", "largest_files", "oldest_files", "newest_files"):
            assert cut[key] == whole[key][:top], key
        assert cut["top_folders_by_file_count"] == whole["top_folders_by_file_count"][:folders]
        assert cut["duplicates"]["candidates"] == whole["duplicates"]["candidates"][:top]
        assert cut["duplicates"]["groups"] == whole["duplicates"]["groups"]
        assert cut["empty_folders"] == whole["empty_folders"]


def test_owners_have_names(document, tmp_path):
    (tmp_path / "file").write_bytes(b"12")
    got = document(tmp_path)
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    assert got["owners"] == [{"uid": os.geteuid(), "name": user, "files": 1, "bytes": 2}]
    if os.geteuid() == 0:
        os.chown(tmp_path / "file", 4_000_000_000, 4_000_000_001)
        got = document(tmp_path)
        assert got["owners"] == [{"uid": 4_000_000_000, "files": 1, "bytes": 2}]
        assert got["groups"] == [{"gid": 4_000_000_001, "files": 1, "bytes": 2}]


def test_links_are_followed_if_asked_for(document, tmp_path):
    (tmp_path / "tree/in").mkdir(parents=True)
    (tmp_path / "out/deep").mkdir(parents=True)
    (tmp_path / "out/file.x").write_bytes(b"12345")
    (tmp_path / "tree/to_file.y").symlink_to("../out/file.x")
    (tmp_path / "tree/to_folder").symlink_to("../out")
    (tmp_path / "tree/loop").symlink_to(".")
    (tmp_path / "tree/dangling").symlink_to("nothing")
    (tmp_path / "link").symlink_to("tree")
    for root in (tmp_path / "tree", tmp_path / "link"):
        got = document(root)
        assert (got["summary"]["total_files"], got["summary"]["total_folders"], got["summary"]["total_links"]) == (0, 2, 4)
        assert got["file_extensions"] == {} and got["size_histogram"] == []
        for option in ("--follow", "-L", "--dereference"):
            got = document(option, root)
            assert got["summary"]["total_files"] == 2 and got["summary"]["total_folders"] == 4
            assert got["summary"]["total_links"] == 1  # that leads nowhere
            assert got["summary"]["total_size_bytes"] == 10 and got["file_extensions"] == {".x": 1, ".y": 1}


def test_filters(document, tmp_path):
    for name in ("keep.c", "drop.o", "build/in.c", "cache/data", "notes.txt"):
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_text("x")
    (tmp_path / "tree/.gitignore").write_text("build/\n")
    (tmp_path / "tree/cache/CACHEDIR.TAG").write_text("Signature: 8a477f597d28d172789f06886806bc55")
    (tmp_path / "patterns").write_text("*.txt\n")
    (tmp_path / "rules").write_text("/keep.c\n")

    def names(*arguments):
        got = document(*arguments, tmp_path / "tree")
        return sorted(os.path.relpath(row["path"], tmp_path / "tree") for row in got["largest_files"])

    everything = names()
    assert len(everything) == 7
    for option, gone in [("--exclude=*.o", ["drop.o"]), (f"--exclude-from={tmp_path}/patterns", ["notes.txt"]),
                         (f"-X{tmp_path}/patterns", ["notes.txt"]), (f"--ignore-file={tmp_path}/rules", ["keep.c"]),
                         ("--respect-ignore", ["build/in.c"]), ("--exclude-caches", ["cache/data"])]:  # fmt: skip
        assert names(option) == sorted(set(everything) - set(gone)), option


@pytest.mark.skipif(os.stat("/dev").st_dev == os.stat("/dev/shm").st_dev, reason="no mount in /dev")
def test_stays_on_the_file_system(document):
    with tempfile.NamedTemporaryFile(dir="/dev/shm", suffix=".profile_test"):
        arguments = ["--max-depth=1", "--top=65536", "/dev"]
        assert ".profile_test" in document(*arguments)["file_extensions"]
        for option in ("-x", "--one-file-system"):
            assert ".profile_test" not in document(option, *arguments)["file_extensions"]


def test_limits_are_said_and_lifted(run, document, tmp_path):
    count = 70_000  # of keys, more than a table has
    folder = os.open(tmp_path, os.O_DIRECTORY)
    for i in range(count):
        os.close(os.open(f"f.x{i}", os.O_CREAT, dir_fd=folder))
    os.close(folder)
    (found,) = document("--threads=1", tmp_path)["approximate"]
    assert found["table"] == "extensions" and found["distinct"] <= count and found["files_error"] >= 1
    text = run("--threads=1", "--sections=extensions", tmp_path).stdout.decode()
    assert f"Extensions  counts up to {found['files_error']} too small (--exact)\n" in text
    got = document("--exact", tmp_path)
    assert got["approximate"] == [] and len(got["extensions"]) == 20
    assert f"Extensions  of {count:,}\n" in run("--exact", "--sections=extensions", tmp_path).stdout.decode()


def test_the_tree(document, tmp_path):
    for name, size in {"a/b/c/deep": 5000, "a/one": 100, "z/two": 50, "three": 7}.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    assert "tree" not in document(tmp_path / "tree")
    tree = document("--tree=100", tmp_path / "tree")["tree"]
    assert tree["name"] == str(tmp_path / "tree")
    assert {key: tree[key] for key in tree if key not in ("name", "children")} == {
        "bytes": 5157, "files": 4, "own_bytes": 7, "own_files": 1, "folders": 4}  # fmt: skip
    assert [(child["name"], child["bytes"]) for child in tree["children"]] == [("a", 5100), ("z", 50)]
    tree = document("--tree=2", tmp_path / "tree")["tree"]
    assert [child["name"] for child in tree["children"]] == ["a"] and tree["children"][0]["children"] == []


def test_a_deep_tree_can_be_read(run, tmp_path):
    at = os.open(tmp_path, os.O_DIRECTORY)
    for _ in range(600):
        os.mkdir("d", dir_fd=at)
        at, above = os.open("d", os.O_DIRECTORY, dir_fd=at), at
        os.close(above)
    os.close(os.open("file", os.O_CREAT, dir_fd=at))
    os.close(at)
    got = json.loads(run("--json", "--tree=100000", tmp_path).stdout)  # too deep for who checks schemas
    assert got["summary"]["max_depth"] == 600 and len(got["depth_distribution"]) == 601
    depth, tree = 0, got["tree"]
    while tree["children"]:
        depth, tree = depth + 1, tree["children"][0]
    assert depth == 200


def test_names_that_look_alike_are_added_up(document, tmp_path):
    for number in range(300):
        os.mkdir(os.fsencode(tmp_path) + b"/%d-\xff" % number)
        os.mkdir(os.fsencode(tmp_path) + b"/%d-\xff/\xfe" % number)
        os.mkdir(os.fsencode(tmp_path) + b"/%d-\xff/\xfd" % number)
    got = document("--top=1000", tmp_path)
    assert got["common_folder_names"]["\ufffd"] == 600
    assert len(got["empty_folders"]) == len(got["empty_folders_base64"]) == 600
    assert [name["folders"] for name in got["folder_names"][:2]] == [300, 300]


# --- errors ----------------------------------------------------------------------------------------


def test_what_is_no_directory(run, document, tmp_path):
    (tmp_path / "file").write_text("x")
    for name, why in [("file", "Not a directory"), ("nothing", "No such file or directory"), ("", "No such file or directory")]:
        result = run(name, cwd=tmp_path)
        assert (result.returncode, result.stdout) == (1, b"")
        assert re.fullmatch(rf"trawl profile: cannot \w+ '{name}': {why}\n", result.stderr.decode()), result.stderr
        got = document(name, status=1, cwd=tmp_path)
        assert not got["complete"] and got["errors"][0]["message"] == why
        page = run("--html=page.html", name, cwd=tmp_path)
        assert page.returncode == 1 and not (tmp_path / "page.html").exists()


@pytest.mark.parametrize("arguments, message", [
    (["--max-depth=-1"], "invalid --max-depth argument ‘-1’: a number of levels is wanted"),
    (["--max-depth=x"], "--max-depth"),
    (["--top=0"], "invalid --top argument ‘0’: a number from 1 to 65536 is wanted"),
    (["--top=65537"], "--top"),
    (["--threads=0"], "--threads"),
    (["--threads=1025"], "--threads"),
    (["--timeout=-1"], "--timeout"),
    (["--sections="], "invalid --sections argument ‘’: a list of all, summary, types,"),
    (["--sections=sizes,wrong"], "invalid --sections argument ‘wrong’"),
    (["--sections=sizes,"], "--sections"),
    (["--block-size=0"], "--block-size"),
    (["--tree=5"], "--tree needs --json or --html"),
    (["--json", "--html=-"], "--json does not go with --html=-"),
    (["a", "b"], "only one PATH can be profiled, not also 'b'"),
    (["--nothing"], "--nothing"),
    (["--exclude-from=/nonexistent"], "cannot read '/nonexistent': No such file or directory"),
])  # fmt: skip
def test_wrong_usage(run, arguments, message):
    result = run(*arguments)
    assert result.returncode == 2 and result.stdout == b""
    assert result.stderr.startswith(b"trawl profile: ") and message in result.stderr.decode()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become nobody")
def test_what_cannot_be_read(run, document, tmp_path):
    os.chmod(tmp_path, 0o755)
    for parent in tmp_path.parents[:-1]:
        if parent.stat().st_uid == os.geteuid() and parent.name.startswith("pytest"):
            os.chmod(parent, 0o755)
    (tmp_path / "tree/closed/in").mkdir(parents=True)
    (tmp_path / "tree/file").write_text("x")
    os.chmod(tmp_path / "tree/closed", 0o700)
    nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": tmp_path}
    warning = "1 entry could not be read, so the figures are lower bounds"
    result = run("tree", **nobody)
    assert result.returncode == 1 and result.stderr == b""
    assert result.stdout.decode().splitlines()[2] == warning + ": --errors lists it"
    result = run("--errors", "tree", **nobody)
    assert result.stdout.decode().splitlines()[2] == warning
    assert result.stderr == b"trawl profile: cannot open 'tree/closed': Permission denied\n"
    got = document("tree", status=1, **nobody)
    assert not got["complete"] and got["summary"]["total_folders"] == 2
    assert [error["path"] for error in got["errors"]] == ["tree/closed"]
    assert run("--json", "tree", **nobody).stderr.decode() == f"trawl profile: {warning}\n"
    result = run("tree/closed", **nobody)
    assert result.returncode == 1
    assert result.stderr == b"trawl profile: cannot open 'tree/closed': Permission denied\n"


def test_rules_that_cannot_be_read(run, tmp_path):
    result = run("--ignore-file=/nonexistent", tmp_path)
    assert result.returncode == 1
    assert result.stderr == b"trawl profile: cannot read the rules in '/nonexistent': No such file or directory\n"


def test_a_timeout_gives_a_partial_report(run, document):
    result = run("--timeout=1ms", "/usr")
    assert result.returncode == 1 and result.stderr == b""
    assert "stopped by --timeout: the figures are partial" in result.stdout.decode().splitlines()
    got = document("--timeout=1ms", "/usr", status=1)
    assert got["ending"] == "timed_out" and not got["complete"]
    assert run("--json", "--timeout=1ms", "/usr").stderr == b"trawl profile: stopped by --timeout: the figures are partial\n"


def test_interruption_gives_a_partial_report(trawl_path):
    process = subprocess.Popen([trawl_path, "profile", "--threads=1", "/usr"], env=ENVIRONMENT,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    time.sleep(0.03)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=10)
    if process.returncode == 0:
        pytest.skip("the walk was over before it could be interrupted")
    assert process.returncode in (130, -signal.SIGINT)
    if process.returncode == 130:
        assert "interrupted: the figures are partial" in out.decode().splitlines()


@pytest.mark.parametrize("arguments", [[], ["--json"], ["--html=-"]])
def test_a_full_disk(run, tmp_path, arguments):
    with open("/dev/full", "wb") as full:
        result = run(*arguments, tmp_path, stdout=full)
    assert result.returncode == 1
    assert result.stderr == b"trawl profile: write error: No space left on device\n"


@pytest.mark.parametrize("ignored", [False, True], ids=["SIGPIPE", "EPIPE"])
def test_a_reader_that_goes(run, tmp_path, ignored):
    """As GNU's tools: without a word."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    result = run(tmp_path, stdout=write_end, restore_signals=not ignored,
                 preexec_fn=(lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN)) if ignored else None)  # fmt: skip
    os.close(write_end)
    assert result.returncode == (1 if ignored else -signal.SIGPIPE)
    assert result.stderr == b""


# --- the report ------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path):
    """Whose report is the same each day."""
    root = tmp_path / "small"
    (root / "photos/raw").mkdir(parents=True)
    (root / "empty\nfolder").mkdir()
    names = {"photos/a.jpg": 30_000, "photos/b.JPG": 12_000, "photos/raw/a.jpg": 30_000, "notes.txt": 10,
             os.fsdecode(b"bad\xff"): 0}  # fmt: skip
    for name, size in names.items():
        (root / name).write_bytes(b"x" * size)
        os.utime(root / name, (0, 0))
    (root / "link").symlink_to("notes.txt")
    return root


REPORT = """\
{root}
5 files in 4 folders, 71K; {when}

Summary
  files    5    size     71K    deepest level        2
  folders  4    on disk  {disk}    files per folder  1.25
  links    1    others     0    empty folders        1

Extensions           files                          size
  .jpg                   3   60%  █████████          71K  100%  ███████████████
  no extension           1   20%  ███                  0    0%
  .txt                   1   20%  ███                 10   <1%

Sizes                files                          size
  empty                  1   20%  ███                  0    0%
  below 1K               1   20%  ███                 10   <1%
  1K to 4K               0                             0
  4K to 16K              1   20%  ███                12K   17%  ██▌
  16K to 64K             2   40%  ██████             59K   83%  ████████████▌

Modified             files                          size
  over 10 years          5  100%  ███████████████    71K  100%  ███████████████

Folders by depth
  level 0  1  ████████████████
  level 1  2  ████████████████████████████████
  level 2  1  ████████████████

Folders with most files
  .           2  ████████████████████████████████
  photos      2  ████████████████████████████████
  photos/raw  1  ████████████████

Largest files
  30K  1970-01-01 00:00  photos/a.jpg
  30K  1970-01-01 00:00  photos/raw/a.jpg
  12K  1970-01-01 00:00  photos/b.JPG
   10  1970-01-01 00:00  notes.txt
    0  1970-01-01 00:00  bad\\xff

Empty folders  1
  empty\\x0afolder

Duplicates?  by name and size: 1 group, 30K too much
  30K  2 ×  30K  photos/a.jpg
"""


def normalized(report):
    """Without what is another each time: when it was and how long it took; what files take on the medium."""
    text = re.sub(r"(71K; ).*entries/s", r"\1{when}", report.decode())
    return re.sub(r"(on disk +)\S+", r"\1{disk}", text)


def test_the_report(run, small):
    result = run(small.name, cwd=small.parent)
    assert result.returncode == 0 and result.stderr == b""
    assert normalized(result.stdout) == REPORT.replace("{root}", small.name)
    assert normalized(run(cwd=small).stdout) == REPORT.replace("{root}", ".")


def test_the_report_in_ascii(run, small):
    text = run(".", cwd=small, env={"LC_ALL": "C", "COLUMNS": "60"}).stdout
    assert text.isascii() and b"###" in text and b"bad\\xff" in text
    assert max(map(len, text.splitlines())) <= 60


@pytest.mark.parametrize("columns", [24, 30, 45, 61, 79, 100, 137, 250])
def test_lines_fit(run, small, columns):
    (small / ("n" * 200)).mkdir()
    (small / ("n" * 200) / ("x" * 200)).write_bytes(b"x" * 100_000)
    text = run("--sections=types,extensions,sizes,modified,depths,names,folders,largest,empty,owners", ".", cwd=small,
               env={"COLUMNS": str(columns)}).stdout.decode()  # fmt: skip
    lines = text[text.index("\nTypes") :].splitlines()
    assert max(map(len, lines)) <= columns and not any(line.endswith(" ") for line in lines)


ALL = ["Summary", "Types", "Extensions", "Sizes", "Modified", "Accessed", "Folders by depth", "Folder names",
       "Folders with most files", "Largest files", "Oldest files", "Newest files", "Empty folders", "Owners", "Groups",
       "Hard links and sparse files", "Duplicates?"]  # fmt: skip
WORDS = ("summary types extensions sizes modified accessed depths names folders largest oldest newest empty owners "
         "groups links duplicates").split()  # fmt: skip


def headings(text):
    return [re.split(r"  |$", block)[0] for block in text.decode().split("\n\n")[1:] for block in [block.split("\n")[0]]]


def test_sections(run, small):
    assert headings(run("--sections=all", small).stdout) == ALL
    for word, heading in zip(WORDS, ALL):
        assert headings(run(f"--sections={word}", small).stdout) == [heading]
    assert headings(run("--sections=newest,summary,newest", small).stdout) == ["Newest files", "Summary"]
    assert headings(run("--sections=links,all", small).stdout) == [ALL[-2], *ALL[:-2], ALL[-1]]
    usual = ["Summary", "Extensions", "Sizes", "Modified", "Folders by depth", "Folders with most files", "Largest files",
             "Empty folders", "Duplicates?"]  # fmt: skip
    assert headings(run(small).stdout) == usual


def test_top_and_sizes(run, small):
    lines = run("--sections=largest", "--top=2", small).stdout.decode().splitlines()
    assert [line.split()[-1] for line in lines[-2:]] == ["photos/a.jpg", "photos/raw/a.jpg"] and len(lines) == 6
    for arguments, size in [(["-B1"], "30000"), (["--block-size=K"], "30K"), (["--si"], "30k"), (["--block-size=si"], "30k"),
                            (["--block-size=1kB"], "30")]:  # fmt: skip
        assert run("--sections=largest", "--top=1", *arguments, small).stdout.decode().splitlines()[-1].split()[0] == size


def test_more_than_is_shown_is_said(run, tmp_path):
    for i in range(13):
        (tmp_path / f"{i:02}").mkdir()
    lines = run("--sections=empty", tmp_path).stdout.decode().splitlines()
    assert lines[3:] == ["Empty folders  13", *(f"  {i:02}" for i in range(10)), "  … and 3 more"]


def test_an_empty_directory(run, document, tmp_path):
    result = run("--sections=all", tmp_path)
    assert result.returncode == 0 and result.stdout.startswith(os.fsencode(tmp_path) + b"\n0 files in 1 folder, 0;")
    for heading in ("Extensions", "Sizes", "Modified", "Largest files", "Duplicates?"):
        assert f"\n{heading}  none\n" in result.stdout.decode()
    got = document(tmp_path)
    assert got["empty_folders"] == [str(tmp_path)] and got["summary"]["empty_folder_count"] == 1


def test_colours(run, small):
    assert b"\x1b" not in run(small).stdout
    assert b"\x1b[1mExtensions\x1b[0m" in run("--color=always", small).stdout
    assert b"\x1b" in run(small, env={"CLICOLOR_FORCE": "1"}).stdout
    plain = re.sub(rb"\x1b\[[0-9;]*m", b"", run("--color=always", small).stdout)
    assert normalized(plain) == normalized(run(small).stdout)


def test_on_a_terminal(trawl_path, small):
    terminal = {**ENVIRONMENT, "TERM": "xterm"}
    del terminal["COLUMNS"]
    out, status = on_terminal([trawl_path, "profile", small], terminal, (40, 60))
    assert status == 0 and b"\x1b[1mSummary\x1b[0m" in out
    plain = re.sub(r"\x1b\[[0-9;]*[mK]", "", out.decode()).replace("\r", "")
    assert max(map(len, plain.splitlines())) <= max(60, len(str(small)))
    out, status = on_terminal([trawl_path, "profile", "--color=never", small], terminal, (40, 60))
    assert b"\x1b" not in out


def test_progress(run, small):
    assert run("--progress=always", small).stderr in (b"", b"\r\033[K")  # too short to be shown
    assert run("--progress=never", small).stderr == b""


def test_stats(run, small):
    stats = json.loads(run("--stats=json", small).stderr)
    jsonschema.validate(stats, json.loads((pathlib.Path(__file__).resolve().parents[2] / "docs/stats.schema.json").read_text()))
    assert stats["total"]["entries"] == 10
    assert b"10 entries, 4 directories in " in run("--stats", small).stderr


def test_help(run, trawl_path):
    for arguments in (["--help"], ["-h"]):
        result = run(*arguments)
        assert result.returncode == 0 and result.stdout.startswith(b"Usage: trawl profile [OPTION]... [PATH]\n")
    assert re.fullmatch(rb"trawl \d+\.\d+\.\d+\n", run("--version").stdout)
