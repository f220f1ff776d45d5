# SPDX-License-Identifier: Apache-2.0
"""The pure engine's profile(): each key against a count of its own, by the text of docs/profile.md,
and those that filoma has against filoma 1.13, where that is installed."""

import json
import math
import os
import stat
import subprocess
import sys
from collections import Counter, defaultdict

import pytest
from pure_trees import Tree, seeds

from trawl import _pure as pure

NOW = 1_700_000_000.5
HOUR, DAY = 3600, 86400
LIMITS = [0, HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY, 365 * DAY, 730 * DAY, 1825 * DAY, 3650 * DAY]


@pytest.fixture(params=seeds(50))
def tree(request, tmp_path):
    tree = Tree(request.param, os.fsencode(tmp_path) + b"/tree")
    rng = tree.rng
    for path in tree.files:  # ages near the limits
        if rng.random() < 0.3:
            edge = int(NOW) * 10**9 + 500_000_000 - rng.choice(LIMITS) * 10**9
            os.utime(path, ns=(edge + rng.choice([-1, 0, 1]), edge + rng.choice([-1, 0, 1])))
    return tree


class Naive:
    """Walks by itself, and keeps everything."""

    def __init__(self, top, max_depth=None, follow=False):
        self.follow = follow
        self.folders = []  # path, depth, entries
        self.files = []  # path, folder, status
        self.types = Counter()
        self.visited = set()
        self.max_depth = math.inf if max_depth is None else max_depth
        self.enter(top, 0)

    def enter(self, path, depth):
        status = os.stat(path)
        if self.follow:
            if (status.st_dev, status.st_ino) in self.visited:
                return
            self.visited.add((status.st_dev, status.st_ino))
        # scandir's order decides by which path a directory is entered
        names = [os.fsencode(entry.name) for entry in os.scandir(os.fsdecode(path))]
        self.folders.append((path, depth, names))
        self.types["directory"] += 1
        below = []
        for name in names:
            full = path + b"/" + name
            status = os.lstat(full)
            if self.follow and stat.S_ISLNK(status.st_mode):
                try:
                    status = os.stat(full)
                except OSError:
                    pass
            if stat.S_ISDIR(status.st_mode):
                below.append(full)
                continue
            kind = {stat.S_IFREG: "file", stat.S_IFLNK: "symlink", stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket",
                    stat.S_IFCHR: "character_device", stat.S_IFBLK: "block_device"}[stat.S_IFMT(status.st_mode)]  # fmt: skip
            self.types[kind] += 1
            if kind == "file":
                self.files.append((full, path, status))
        if depth < self.max_depth:
            for full in below:
                self.enter(full, depth + 1)


def by_count(counts, top):
    return sorted(counts, key=lambda key: (-counts[key], os.fsencode(key) if isinstance(key, str) else key))[:top]


def extension(path):
    name = os.fsdecode(os.path.basename(path))
    stem, dot, last = name.rpartition(".")
    return (dot + last).lower() if stem and last else ""


def ages(files, time_of):
    buckets = [[0, 0] for _ in range(len(LIMITS) + 1)]
    for _, _, status in files:
        age = int(NOW * 2) * 5 * 10**8 - time_of(status)
        at = next((i for i, limit in enumerate(LIMITS) if age < limit * 10**9), len(LIMITS))
        buckets[at][0] += 1
        buckets[at][1] += status.st_size
    return [
        {"from": LIMITS[i - 1] if i else None, "below": LIMITS[i] if i < len(LIMITS) else None, "files": f, "bytes": b}
        for i, (f, b) in enumerate(buckets)
    ]


def expected(top, top_n, top_folders, max_empty, exact, max_depth=None, follow=False):
    n = Naive(top, max_depth, follow)
    out = {}
    size = sum(status.st_size for _, _, status in n.files)
    usage = sum(status.st_blocks * 512 for _, _, status in n.files)
    depths = Counter(depth for _, depth, _ in n.folders)
    empty = sorted(path for path, _, names in n.folders if not names)
    out["summary"] = {
        "total_files": len(n.files),
        "total_folders": len(n.folders),
        "total_size_bytes": size,
        "total_size_mb": round(size / 1048576, 2),
        "avg_files_per_folder": round(len(n.files) / len(n.folders), 2),
        "max_depth": max(depths),
        "empty_folder_count": len(empty),
        "total_disk_usage_bytes": usage,
        "total_links": n.types["symlink"],
    }
    out["depth_distribution"] = {depth: depths[depth] for depth in range(max(depths) + 1)}
    out["empty_folders"] = [os.fsdecode(path) for path in (empty if exact else empty[:max_empty])]
    in_folder = Counter(os.fsdecode(folder) for _, folder, _ in n.files)
    out["top_folders_by_file_count"] = [(path, in_folder[path]) for path in by_count(in_folder, top_folders)]
    extensions = defaultdict(list)
    for path, _, status in n.files:
        extensions[extension(path)].append(status)
    first = by_count({key: len(found) for key, found in extensions.items()}, top_n)
    out["file_extensions"] = {key or "<no extension>": len(extensions[key]) for key in first}
    out["extensions"] = [
        {"extension": key, "files": len(extensions[key]), "bytes": sum(s.st_size for s in extensions[key]),
         "disk_usage": sum(s.st_blocks * 512 for s in extensions[key])} for key in first
    ]  # fmt: skip
    names = Counter(os.fsdecode(os.path.basename(path)) for path, depth, _ in n.folders if depth)
    out["common_folder_names"] = {name: names[name] for name in by_count(names, top_n)}
    out["folder_names"] = [{"name": name, "folders": names[name]} for name in by_count(names, top_n)]
    out["file_types"] = {name: n.types[name] for name in pure.FILE_TYPES}
    sizes = defaultdict(lambda: [0, 0])
    for _, _, status in n.files:
        at = 0 if status.st_size == 0 else 1 + int(math.log2(status.st_size))
        sizes[at][0] += 1
        sizes[at][1] += status.st_size
    out["size_histogram"] = [
        {"from": 2 ** (i - 1) if i else 0, "to": 2**i - 1 if i else 0, "files": sizes[i][0], "bytes": sizes[i][1]}
        for i in range(max(sizes, default=-1) + 1)
    ]
    out["modified_histogram"] = ages(n.files, lambda status: status.st_mtime_ns)
    out["accessed_histogram"] = ages(n.files, lambda status: status.st_atime_ns)
    for key, order in (
        ("largest_files", lambda file: (-file[2].st_size, file[0])),
        ("oldest_files", lambda file: (file[2].st_mtime_ns, file[0])),
        ("newest_files", lambda file: (-file[2].st_mtime_ns, file[0])),
    ):
        out[key] = [
            {"path": os.fsdecode(path), "size": status.st_size,
             "mtime": {"seconds": status.st_mtime_ns // 10**9, "nanoseconds": status.st_mtime_ns % 10**9}}
            for path, _, status in sorted(n.files, key=order)[:top_n]
        ]  # fmt: skip
    for key, one, number in (("owners", "uid", "st_uid"), ("groups", "gid", "st_gid")):
        files = defaultdict(list)
        for _, _, status in n.files:
            files[getattr(status, number)].append(status.st_size)
        out[key] = [
            {one: each, "files": len(files[each]), "bytes": sum(files[each])}
            for each in by_count({each: len(found) for each, found in files.items()}, top_n)
        ]
    linked = defaultdict(list)
    for _, _, status in n.files:
        if status.st_nlink > 1:
            linked[(status.st_dev, status.st_ino)].append(status)
    out["hard_links"] = {
        "names": sum(map(len, linked.values())),
        "files": len(linked),
        "repeated_bytes": sum(found[0].st_size * (len(found) - 1) for found in linked.values()),
        "repeated_disk_usage": sum(found[0].st_blocks * 512 * (len(found) - 1) for found in linked.values()),
    }
    holes = [s.st_size - s.st_blocks * 512 for _, _, s in n.files if s.st_blocks * 512 < s.st_size]
    out["sparse"] = {"files": len(holes), "bytes": sum(holes)}
    out["duplicates"] = duplicates(n.files, top_n, exact)
    out["approximate"] = []
    out["now"] = NOW
    return out, n


def duplicates(files, top_n, exact):
    same = defaultdict(dict)  # by name and size: the first path of each identity
    for path, _, status in sorted(files, key=lambda file: file[0]):
        if status.st_size:
            same[(os.path.basename(path), status.st_size)].setdefault((status.st_dev, status.st_ino), path)
    groups = {key: list(found.values()) for key, found in same.items() if len(found) > 1}
    wasted = {key: (len(found) - 1) * key[1] for key, found in groups.items()}
    first = sorted(groups, key=lambda key: (-wasted[key], key))[:top_n]
    return {
        "groups": len(groups),
        "wasted_bytes": sum(wasted.values()),
        "from_size": 1,
        "candidates": [
            {"name": os.fsdecode(key[0]), "size": key[1], "files": len(groups[key]), "wasted_bytes": wasted[key],
             "paths": [os.fsdecode(path) for path in (groups[key] if exact else groups[key][:4])]} for key in first
        ],
    }  # fmt: skip


def test_every_key(tree):
    rng = tree.rng
    for max_depth, follow in ((None, False), (rng.randrange(4), False), (None, True)):
        top, folders = rng.choice([1, 3, 20, 1000]), rng.choice([1, 10])
        max_empty, exact = rng.choice([0, 2, 100]), rng.random() < 0.3
        got = pure.profile(
            tree.top, top=top, top_folders=folders, max_depth=max_depth, exact=exact, max_empty_folders=max_empty,
            capacity=1000, now=NOW, follow=2 if follow else 0,
        )  # fmt: skip
        want, _ = expected(tree.top, top, folders, max_empty, exact, max_depth, follow)
        assert (got.pop("complete"), got.pop("ending"), got.pop("errors")) == (True, "complete", [])
        got.pop("statistics")
        assert set(got) == set(want)
        for key in want:
            assert got[key] == want[key], key
            if isinstance(want[key], dict) and key in ("file_extensions", "common_folder_names", "depth_distribution"):
                assert list(got[key]) == list(want[key]), key


def test_tree(tree):
    naive = Naive(tree.top)
    sums = {}
    for path, _, _ in naive.folders:
        below = [file for file in naive.files if file[1] == path or file[1].startswith(path + b"/")]
        own = [file for file in below if file[1] == path]
        folders = sum(1 for other, _, _ in naive.folders if other.startswith(path + b"/"))
        sums[path] = [sum(f[2].st_size for f in below), len(below), sum(f[2].st_size for f in own), len(own), folders]
    for count in (1, 4, 1000):
        kept = sorted(sums, key=lambda path: (-sums[path][0], path))[:count]
        seen = {}

        def look(node, path):
            seen[path] = [node[key] for key in ("bytes", "files", "own_bytes", "own_files", "folders")]
            order = [(-child["bytes"], os.fsencode(child["name"])) for child in node["children"]]
            assert order == sorted(order)
            for child in node["children"]:
                look(child, path + b"/" + os.fsencode(child["name"]))

        tree_of = pure.profile(tree.top, tree_folders=count)["tree"]
        look(tree_of, os.fsencode(tree_of["name"]))
        assert seen == {path: sums[path] for path in kept}
    assert "tree" not in pure.profile(tree.top)


def test_roots_that_are_none(tmp_path):
    file = tmp_path / "file"
    file.write_text("x")
    link = tmp_path / "link"
    link.symlink_to(".")
    for root, code in ((file, 20), (tmp_path / "no", 2), (link, 20)):
        got = pure.profile(os.fsencode(root))
        assert [each[1] for each in got["errors"]] == [code] and not got["complete"]
        assert got["summary"]["total_folders"] == got["summary"]["total_files"] == 0
        assert got["summary"]["avg_files_per_folder"] == 0.0
    assert pure.profile(os.fsencode(link), follow=1)["summary"]["total_files"] == 1


def test_the_deepest_folders(tmp_path):
    """Folders below max_depth are not counted; files are, in those that are; and it has no entry of its own."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "f").write_text("x")
    got = pure.profile(os.fsencode(tmp_path), max_depth=0)
    assert got["summary"]["total_folders"] == 1 and got["file_types"]["directory"] == 1
    got = pure.profile(os.fsencode(tmp_path), max_depth=1)
    assert got["summary"]["total_files"] == 1 and got["depth_distribution"] == {0: 1, 1: 1}
    assert got["empty_folders"] == []  # a has one, though it is not entered


def test_hidden_entries_fill_a_folder(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".keep").write_text("")
    (tmp_path / "b").mkdir()
    rules = pure.PathFilter(hidden=True, exclude=[b"c"])
    got = pure.profile(os.fsencode(tmp_path), filter=rules)
    assert got["empty_folders"] == [str(tmp_path / "b")] and got["summary"]["total_files"] == 0


# ---- filoma

ORACLE = os.environ.get("FILOMA_PYTHON", sys.executable)
FILOMA = """
import json, sys
from loguru import logger
logger.remove()
from filoma.directories.directory_profiler import DirectoryProfiler, DirectoryProfilerConfig
for path, depth in json.load(sys.stdin):
    profiler = DirectoryProfiler(DirectoryProfilerConfig(show_progress=False, search_backend="python"))
    result = profiler.probe(path, max_depth=depth).to_dict()
    print(json.dumps(result, default=str))
"""


def has_filoma():
    return subprocess.run([ORACLE, "-c", "import filoma, loguru"], capture_output=True).returncode == 0


@pytest.mark.skipif(not has_filoma(), reason="no filoma")
def test_as_filoma(tmp_path):
    questions, trees = [], []
    for seed in seeds(25):
        tree = Tree(seed, os.fsencode(tmp_path) + b"/%d" % seed)
        for path in [*tree.files, *reversed(tree.directories[1:])]:  # plain names, files, folders and links only
            if not path.isascii() or not path.decode().isprintable():
                subprocess.run(["rm", "-rf", path], check=True)
        for path, directories, files in os.walk(tree.top):
            for name in files:
                full = os.path.join(path, name)
                if not os.path.islink(full) and not os.path.isfile(full):
                    os.unlink(full)
        for depth in (None, 0, 1, 3):
            questions.append((os.fsdecode(tree.top), depth))
            trees.append(tree)
    done = subprocess.run([ORACLE, "-c", FILOMA], input=json.dumps(questions), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    for (path, depth), line in zip(questions, done.stdout.splitlines()):
        theirs = json.loads(line)
        ours = pure.profile(os.fsencode(path), max_depth=depth, top=10_000, top_folders=10_000)
        for key in ("total_files", "total_folders", "total_size_bytes", "total_size_mb", "avg_files_per_folder", "max_depth"):
            assert ours["summary"][key] == theirs["summary"][key], (key, path, depth)
        # filoma leaves out the root if it is empty, and what it does not enter.
        empty = set(ours["empty_folders"]) - {path}
        assert empty == set(theirs["empty_folders"]) - {path}, (path, depth)
        for key in ("file_extensions", "common_folder_names"):
            assert all(ours[key].get(each) == count for each, count in theirs[key].items()), (key, path, depth)
        distribution = {int(each): count for each, count in theirs["depth_distribution"].items()}
        assert ours["depth_distribution"] == distribution, (path, depth)
        folders = dict(ours["top_folders_by_file_count"])
        assert all(folders[each] == count for each, count in theirs["top_folders_by_file_count"] if count), (path, depth)
