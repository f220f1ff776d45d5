# SPDX-License-Identifier: Apache-2.0
"""The native engine and the pure one give the same answers, for every function and option, with any
number of threads, on random hostile trees."""

import os
import random
import stat
import traceback
from itertools import islice

import pytest
from pure_trees import NAMES, Tree, below, no_user_rules, seeds

from differential.git import Repository
from trawl import _pure as pure

native = pytest.importorskip("trawl._native")

THREADS = (1, 2, 16, 64)
ALL = (1 << 11) - 1


@pytest.fixture(params=seeds(40))
def tree(request, tmp_path):
    tree = Tree(request.param, os.fsencode(tmp_path) + b"/tree")
    for directory, names, files in os.walk(tree.top):  # so that to read them does not change their atime
        for name in [b".", *names, *files]:
            path = os.path.join(directory, name)
            if name == b"." or os.path.islink(path):
                os.utime(path, ns=(2 * 10**18, 10**18), follow_symlinks=False)
    return tree


@pytest.fixture
def rng(request):
    return random.Random(request.node.name)


def subset(rng):
    return rng.choice([0, 0, ALL, rng.randrange(1 << 11)])


def rows_of(table):
    """Columns, and rows in an order of their own. Ties are rows of several roots."""
    return table.columns, sorted(table.rows(table.columns), key=repr)


def outcome(result):
    """How a call ended."""
    if isinstance(result, dict):
        return result["ending"], result["complete"], sorted(result["errors"])
    return result.ending, result.complete, sorted(result.errors)


def filters(rng, root):
    """The options of a filter, for both engines."""
    if rng.random() < 0.5:
        return None
    options = {"hidden": rng.random() < 0.5}
    if rng.random() < 0.7:
        options["exclude"] = [rng.choice([b"a*", b"*.py", b"!e.py", b"src/", b"/a", b"*.[tT]*", b"lib/**", b"**/b", b"?"])
                              for _ in range(rng.randint(1, 4))]  # fmt: skip
    if rng.random() < 0.3:
        options["ignore_case"] = True
    if rng.random() < 0.2:
        needle = rng.choice(["a", "b", "/"])
        options["custom"] = lambda path: path.count(needle) % 7 == 3
    return options


def both(function, *arguments, filter=None, root=b".", **options):
    """The pure engine's answer, and the native's for each number of threads."""

    def call(engine, **more):
        if filter is not None:
            more["filter"] = engine.PathFilter(root, **filter)
        return getattr(engine, function)(*arguments, **options, **more)

    yield call(pure)
    for threads in THREADS:
        yield call(native, threads=threads)


def agree(answers, view):
    expected, *others = map(view, answers)
    for threads, got in zip(THREADS, others):
        assert got == expected, f"{threads} threads: " + "\n".join(islice(differences(expected, got, "answer"), 5))


def differences(pure, native, where):
    """Where two answers differ, in a few lines."""
    if type(pure) is type(native) and pure != native:
        if isinstance(pure, dict):
            for key in {**pure, **native}:
                yield from differences(pure.get(key), native.get(key), f"{where}[{key!r}]")
            return
        if isinstance(pure, (list, tuple)) and len(pure) == len(native):
            for index, (one, other) in enumerate(zip(pure, native)):
                yield from differences(one, other, f"{where}[{index}]")
            return
        if isinstance(pure, list):
            missing = [each for each in pure if each not in native]
            more = [each for each in native if each not in pure]
            yield f"{where}: {len(pure)} and {len(native)}; pure alone: {missing[:5]!r}; native alone: {more[:5]!r}"
            return
    if pure != native:
        yield f"{where}: pure {pure!r}, native {native!r}"[:600]


def walk_options(rng, follow=(0, 0, 0, 1)):
    options = {"follow": rng.choice(follow)}
    if rng.random() < 0.4:
        options["max_depth"] = rng.randrange(5)
    if rng.random() < 0.2:
        options["one_file_system"] = True
    return options


def roots_of(tree):
    rng = tree.rng
    if rng.random() < 0.6:
        return [tree.top]
    return [rng.choice([*tree.directories, *tree.files, tree.top + b"/no\xff"]) for _ in range(rng.randint(0, 4))]


def test_constants():
    for name in ("MODE", "LINKS", "OWNER", "IDENTITY", "SIZE", "BLOCKS", "ATIME", "MTIME", "CTIME", "BTIME", "FILE_TYPES"):
        assert getattr(native, name) == getattr(pure, name), name
    public = {name for name in dir(pure) if not name.startswith("_")} & set(pure.__all__)
    assert public <= set(dir(native))


def test_scan_table(tree):
    rng = tree.rng
    for _ in range(3):
        options = walk_options(rng)
        options["fields"] = subset(rng)
        options["link_targets"] = rng.random() < 0.5
        options["include_roots"] = rng.random() < 0.7
        if rng.random() < 0.3:
            options["min_depth"] = rng.randrange(4)
        if rng.random() < 0.3:
            options["types"] = rng.randrange(256)
        answers = both("scan_table", roots_of(tree), filter=filters(rng, tree.top), root=tree.top, **options)
        agree(answers, lambda table: (rows_of(table), outcome(table)))


def test_scan_table_of_links_that_are_followed(tree):
    """By which path a directory is entered is chance, with several threads; that it is once is not."""

    def identities(table):
        rows = table.rows(["device", "inode", "type", "size", "mtime"])
        return table.columns, sorted(rows), len(set(table.paths())), outcome(table)

    for _ in range(2):
        options = {"follow": 2, "fields": ALL & ~pure.ATIME, "link_targets": True}
        agree(both("scan_table", [tree.top], **options), identities)


@pytest.mark.parametrize("order", ["component", "bytes", "rsync", "rsync28"])
def test_list_table(tree, order):
    rng = tree.rng
    for _ in range(2):
        options = walk_options(rng, (0, 0, 1, 2))
        options["fields"] = subset(rng)
        options["link_targets"] = rng.random() < 0.5
        options["include_root"] = rng.random() < 0.7
        root = rng.choice([tree.top, tree.top, tree.top + b"/", *roots_of(tree)])
        answers = both("list_table", root, order=order, filter=filters(rng, root), root=root, **options)
        agree(answers, lambda table: (table.columns, table.rows(table.columns), outcome(table)))


def test_stat_table(tree):
    paths = [*tree.directories, *tree.files, tree.top + b"/no", b"", *(tree.top + b"/" + name for name in os.listdir(tree.top))]
    for follow in (False, True):
        answers = both("stat_table", paths, fields=subset(tree.rng), follow=follow)
        agree(answers, lambda table: (table.columns, table.rows(table.columns), outcome(table)))


def drained(stream):
    parts = []
    while (part := stream.next()) is not None:
        parts.append(part)
    return parts


def test_table_stream(tree):
    rng = tree.rng
    options = walk_options(rng)
    fields = subset(rng)
    rules = filters(rng, tree.top)

    def view(stream):
        parts = drained(stream)
        assert stream.finished and all(0 < len(part) <= 5 for part in parts)
        rows = [row for part in parts for row in part.rows(part.columns)]
        return sorted(rows, key=repr), outcome(stream), {tuple(part.columns) for part in parts}

    agree(both("TableStream", [tree.top], fields=fields, chunk_rows=5, filter=rules, root=tree.top, **options), view)


@pytest.mark.parametrize("topdown", [True, False])
def test_walk_stream(tree, topdown):
    rng = tree.rng
    options = walk_options(rng, (0, 0, 1))
    rules = filters(rng, tree.top)
    root = rng.choice([tree.top, tree.top, tree.top + b"/", *roots_of(tree)])

    def view(stream):
        triples = [triple for part in drained(stream) for triple in part]
        place = {triple[0]: at for at, triple in enumerate(triples)}
        for path, at in place.items():  # a directory comes before, or after, all that is below it
            above = os.path.dirname(path)
            if above in place:
                assert (place[above] < at) == topdown
        return sorted(triples), sorted(stream.errors)

    agree(both("WalkStream", root, topdown=topdown, filter=rules, root=root, **options), view)


def test_walk_stream_of_links_that_are_followed(tmp_path):
    """Every path is taken, so trees that are as wide as Tree's are too many."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "up").symlink_to("../..")
    (tmp_path / "again").symlink_to("a")
    (tmp_path / "c").symlink_to("none")
    (tmp_path / "d").symlink_to("a/b")

    def view(stream):
        return sorted(triple for part in drained(stream) for triple in part)

    agree(both("WalkStream", os.fsencode(tmp_path), follow=2), view)


def test_profile(tree):
    rng = tree.rng
    for follow in (0, 1, 2):
        options = walk_options(rng, (follow,))
        options.update(
            top=rng.choice([1, 3, 20, 500]), top_folders=rng.choice([1, 10]), max_empty_folders=rng.choice([0, 2, 1000]),
            tree_folders=rng.choice([0, 1, 5, 1000]), exact=rng.random() < 0.3, now=rng.choice([1.7e9, 1.6e9 + 0.25, 0, -5.5]),
        )  # fmt: skip
        rules = filters(rng, tree.top)

        def view(result):
            result = dict(result)
            assert isinstance(result.pop("statistics"), dict)
            result["errors"] = sorted(result["errors"])
            # Tables are dictionaries whose order counts, too.
            tables = [list(result[key]) for key in ("file_extensions", "common_folder_names", "depth_distribution")]
            return result, tables

        agree(both("profile", tree.top, filter=rules, root=tree.top, **options), view)


def test_profile_of_what_is_none(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("file", "link", "loop", "none", "file/x"):
        for follow in (0, 1, 2):

            def view(result):
                result.pop("statistics")
                result.pop("now")
                return result

            agree(both("profile", os.fsencode(tmp_path / name), follow=follow), view)


def test_usage(tree):
    rng = tree.rng
    for follow in (0, 1, 2):
        options = walk_options(rng, (follow,))
        options["all_files"] = rng.random() < 0.4
        options["count_links"] = rng.random() < 0.3
        roots = roots_of(tree)
        rules = filters(rng, tree.top)

        def view(result):
            result = dict(result)
            assert isinstance(result.pop("statistics"), dict)
            result["errors"] = sorted(result["errors"])
            return result

        agree(both("usage", roots, filter=rules, root=tree.top, **options), view)


# ---- rules


@pytest.fixture(params=seeds(40))
def repository(request, tmp_path, monkeypatch):
    rng = random.Random(request.param)
    place = os.fsencode(tmp_path)
    repository = Repository(rng, place + b"/top", place + b"/home", False).build()
    for name in list(os.environ):
        if name.startswith(("GIT_", "XDG_")):
            monkeypatch.delenv(name)
    for name, value in repository.environment.items():
        monkeypatch.setenv(name, value)
    for directory in repository.directories:
        path = repository.path(os.path.join(directory, b".ignore"))
        if rng.random() < 0.2 and not os.path.lexists(path):
            repository.write(path, repository.rules(4))
    repository.write(place + b"/more", repository.rules(5))
    return repository


def test_path_filter(repository, tmp_path):
    rng = repository.rng
    for _ in range(3):
        exclude = [line for line in repository.rules(3).split(b"\n") if b"\0" not in line]
        options = {
            "hidden": rng.random() < 0.5, "git": rng.random() < 0.8, "git_global": rng.random() < 0.7,
            "require_git": rng.random() < 0.3, "parents": rng.random() < 0.5, "caches": rng.random() < 0.3,
            "ignore_case": rng.random() < 0.3, "names": rng.choice([[], [b".ignore"], [b".ignore", b"a"]]),
            "files": rng.choice([[], [os.fsencode(tmp_path) + b"/more"], [os.fsencode(tmp_path) + b"/none"]]),
            "exclude": rng.choice([[], exclude]),
        }  # fmt: skip
        root = repository.path(rng.choice([b"", b"", *repository.directories]))
        theirs, ours = native.PathFilter(root, **options), pure.PathFilter(root, **options)
        assert theirs.root == ours.root and theirs.errors() == ours.errors()
        for _ in range(150):
            path = repository.some_path()
            if not path or repository.beyond_link(path):
                continue
            if rng.random() < 0.05:
                path += b"/"
            is_directory = rng.random() < 0.5
            assert theirs.match(path, is_directory) == ours.match(path, is_directory), (path, is_directory, options)
        assert sorted(set(theirs.errors())) == sorted(set(ours.errors()))
        for follow in (0, 2):
            expected, *others = both("list_table", root, filter=options, root=root, follow=follow)
            for got in others:
                assert got.paths() == expected.paths(), (options, root)
        deep = repository.path(rng.choice(repository.directories))
        assert native.PathFilter.from_git_root(deep).root == pure.PathFilter.from_git_root(deep).root
        assert native.PathFilter.from_git_root(b"/none").root == pure.PathFilter.from_git_root(b"/none").root


# ---- deep, many, wrong


@pytest.mark.parametrize("name, count", [(b"n" * 200, 65), (b"d", 1500)])
def test_deep(tmp_path, name, count):
    root = os.fsencode(tmp_path) + b"/deep"
    os.mkdir(root)
    path = below(root, [name] * count)
    try:
        agree(both("scan_table", [root], fields=ALL & ~pure.ATIME), rows_of)
        agree(both("list_table", root, order="rsync"), lambda table: table.path_bytes())
        agree(both("stat_table", [path, path + b"/file", path + b"/x"], fields=pure.SIZE), lambda t: t.rows(t.columns))

        def view(result):
            return {key: value for key, value in result.items() if key not in ("statistics", "now")}

        agree(both("usage", [root]), view)
        agree(both("profile", root, now=1.0, tree_folders=10), view)
    finally:
        os.system(f"rm -rf '{os.fsdecode(root)}'")


def test_many(tmp_path):
    """A directory that workers share."""
    root = os.fsencode(tmp_path) + b"/many"
    os.mkdir(root)
    rng = random.Random(1)
    for i in range(15_000):
        name = root + b"/%d.%s" % (i, rng.choice(NAMES))
        if i % 10 == 0:
            os.mkdir(name)
        else:
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
            if i % 100 == 1:
                os.link(name, root + b"/0.a/%d" % i) if os.path.isdir(root + b"/0.a") else None
    agree(both("scan_table", [root], fields=pure.SIZE), rows_of)
    agree(both("list_table", root, order="bytes"), lambda table: table.path_bytes())

    def view(result):
        return {key: value for key, value in result.items() if key not in ("statistics", "now")}

    agree(both("usage", [root], all_files=True), view)
    agree(both("profile", root, now=1.0, capacity=10**6, top=50), view)


def test_what_is_refused(tmp_path):
    root = os.fsencode(tmp_path)
    calls = [
        ("scan_table", ([root],)), ("list_table", (root,)), ("profile", (root,)), ("usage", ([root],)),
        ("TableStream", ([root],)), ("WalkStream", (root,)), ("stat_table", ([root],)),
    ]  # fmt: skip
    bad = [
        {"threads": -1}, {"threads": 1025}, {"threads": "1"}, {"max_depth": -1}, {"max_depth": 1.5}, {"min_depth": -1},
        {"follow": 3}, {"follow": -1}, {"timeout": -1}, {"timeout": float("nan")}, {"timeout": "1"}, {"fields": -1},
        {"fields": 1 << 11}, {"types": -1}, {"types": 1 << 32}, {"order": "none"}, {"order": "unordered"}, {"top": 0},
        {"top_folders": 0}, {"capacity": 0}, {"capacity": 5}, {"chunk_rows": 0}, {"max_empty_folders": -1},
        {"tree_folders": -1}, {"now": float("nan")}, {"now": 1e12}, {"now": "x"}, {"filter": 1}, {"cancel": 1}, {"poll": 1},
        {"unknown": 1}, {"one_file_system": 1}, {"link_targets": None}, {"exact": 2}, {"count_links": 1}, {"topdown": 1},
    ]  # fmt: skip

    def failure(engine, function, arguments, options):
        try:
            result = getattr(engine, function)(*arguments, **options)
        except Exception as error:  # whatever it is
            return type(error)
        if hasattr(result, "cancel"):
            result.cancel()
        return None

    wrong = []
    for function, arguments in calls:
        for options in bad:
            kinds = [failure(engine, function, arguments, options) for engine in (pure, native)]
            if kinds[0] != kinds[1]:
                wrong.append((function, options, *kinds))
    assert not wrong, "\n".join(map(str, wrong))
    for function, arguments in calls:
        for path in (b"a\0b", "text", 1, None):
            paths = (path,) if arguments[0] is root else ([path],)
            kinds = [failure(engine, function, paths, {}) for engine in (pure, native)]
            assert kinds[0] == kinds[1] and kinds[0] is not None, (function, path)
        if arguments[0] is not root:
            for roots in (root, "text", None, 1):
                kinds = [failure(engine, function, (roots,), {}) for engine in (pure, native)]
                assert kinds[0] == kinds[1] and kinds[0] is not None, (function, roots)
    for options in ({"names": b"a"}, {"names": [b"a/b"]}, {"names": [b""]}, {"files": ["x"]}, {"exclude": [b"\0"]},
                    {"custom": 1}, {"names": [b"%d" % i for i in range(61)]}, {"names": [b"%d" % i for i in range(65)]}):  # fmt: skip
        kinds = [failure(engine, "PathFilter", (root,), options) for engine in (pure, native)]
        assert kinds[0] == kinds[1], options
    for engine in (pure, native):
        rules = engine.PathFilter(root)
        for path, error in ((b"a\0", ValueError), ("a", TypeError)):
            with pytest.raises(error):
                rules.match(path, False)


def test_arrow(tree):
    arrow = pytest.importorskip("pyarrow")
    for fields, targets in ((0, False), (ALL, True), (pure.SIZE | pure.MTIME, False)):

        def view(table):
            made = arrow.table(table)
            rows = made.to_pylist() if fields != ALL else made.drop_columns(["mtime", "atime", "ctime", "btime"]).to_pylist()
            return made.schema, arrow.schema(table), sorted(map(repr, rows))

        if fields == ALL:
            agree(both("scan_table", [tree.top], fields=fields, link_targets=targets), view)
        else:
            agree(both("scan_table", [tree.top], fields=fields & ~pure.MTIME, link_targets=targets), view)
        times = both("list_table", tree.top, fields=pure.MTIME | pure.BTIME | pure.CTIME)
        agree(times, lambda table: [arrow.table(table)[name].cast(arrow.int64()).to_pylist() for name in ("mtime", "ctime", "btime")])


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
@pytest.mark.parametrize("seed", seeds(15))
def test_what_may_not_be_read(seed, tmp_path):
    tree = Tree(seed, os.fsencode(tmp_path) + b"/tree", 100)
    for place in [*tmp_path.parents[:-1], tmp_path]:
        if stat.S_IMODE(place.stat().st_mode) & 0o055 != 0o055:
            place.chmod(place.stat().st_mode | 0o055)
    for path in tree.directories[1:]:
        if tree.rng.random() < 0.4:
            os.chmod(path, tree.rng.choice([0o000, 0o111, 0o444, 0o555, 0o744]))
    child = os.fork()
    if child == 0:
        try:
            os.setgid(65534)
            os.setuid(65534)
            compare_unreadable(tree)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def compare_unreadable(tree):
    rng = tree.rng

    def no_types(table):
        """Of what is neither file, folder nor link, where the type can't be asked for, pure has none."""
        columns = [name for name in table.columns if name != "type"]
        return columns, sorted(table.rows(columns), key=repr)

    def errors_but_of_types(result):
        ending, _, errors = outcome(result)
        return ending, [each for each in errors if each[0] != "stat"]

    for fields in (0, ALL, pure.SIZE):
        for depth in (None, rng.randrange(4)):
            options = {"fields": fields, "max_depth": depth}
            agree(both("scan_table", [tree.top], **options), no_types)
            view = outcome if fields else errors_but_of_types
            agree(both("scan_table", [tree.top], **options), view)
            for order in ("component", "rsync", "bytes"):
                agree(both("list_table", tree.top, order=order, **options), view)
                if fields:
                    agree(both("list_table", tree.top, order=order, **options), lambda table: table.rows(table.columns))

    def plain(result):
        skipped = ("statistics", "now", "errors", "file_types")
        return {key: value for key, value in result.items() if key not in skipped}, errors_but_of_types(result)

    for follow in (0, 2):
        agree(both("profile", tree.top, now=1.0, follow=follow, tree_folders=9), plain)
        agree(both("usage", [tree.top, *tree.directories[:3]], all_files=True, follow=follow), lambda result: (
            {key: value for key, value in result.items() if key not in ("statistics", "errors")}, sorted(result["errors"])))  # fmt: skip
    for topdown in (True, False):

        def triples(stream):
            return sorted(triple for part in drained(stream) for triple in part), sorted(
                each for each in stream.errors if each[0] != "stat")

        agree(both("WalkStream", tree.top, topdown=topdown), triples)
    agree(both("stat_table", tree.directories + tree.files, fields=ALL), lambda table: table.rows(table.columns))
