# SPDX-License-Identifier: Apache-2.0
"""`trawl find` against fd: random trees with rules in them, random options, the same results.

Where trawl is meant to differ, random command lines keep away from it, and a test at the end pins
it: the exceptions that docs/man/trawl-find.1 lists.

TRAWL_SEED=NUMBER repeats one tree with its command lines, TRAWL_ROUNDS is the number of trees.
"""

import os
import random
import shutil
import subprocess

import pytest

FD = shutil.which("fdfind") or shutil.which("fd")
ROUNDS = int(os.environ.get("TRAWL_ROUNDS", "60"))
COMMANDS_PER_TREE = 25
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}

pytestmark = pytest.mark.skipif(FD is None, reason="NO FD TO COMPARE WITH: install the package fd-find")

NAMES = ["a", "b", "c", "A", "ab", "Ab", "abc", "x.txt", "y.c", "y.C", "z.tar.gz", ".hid", ".h.txt", "foo bar",
         "-d", "new line", "né", "É.txt", "target", "build", "src", "x.", "1", "22", "a+b", "[x]"]  # fmt: skip
RULES = ["a", "b/", "/c", "*.txt", "!x.txt", "ab*", "src/*", "/src/*", "**/a", "a/**", "build/", "!build", "*.c", "?",
         "[ab]*", "!*.gz", "foo bar", ".hid", "!.hid", "\\[x\\]", "# comment", "", "target/", "/target", "a/b", "!a/b",
         "*/c", "é"]  # fmt: skip
PATTERNS = ["", ".", "a", "A", "^a", "txt$", "b|c", "[ab]", "[A-Z]", "x\\.", "\\d", "[a-z]+\\.", "^.$", "é", "É", "(a)(b)?",
            "a+b", "new.line", "^[^.]", "a.*c", "(?i)AB", "\\S \\S", "^[^a-z]"]  # fmt: skip
GLOBS = ["*", "a*", "*.txt", "?", "[ab]*", "[!a]*", "{a,b}*", "*.{c,txt}", "A*", "\\[x\\]", "a+b", "**", "x.*"]
TEXTS = ["a", ".", "a+b", "[x]", "A", "é", "foo bar", "x.t"]
PATHS = ["^.*/a$", "b/.*c", "src", "/target/"]


def fill(rng, directory, depth, paths):
    for name in rng.sample(NAMES, rng.choice([0, 1, 3, 6, 9])):
        path = os.path.join(directory, name)
        kind = rng.random()
        if kind < 0.4 and depth > 0:
            os.mkdir(path)
            fill(rng, path, depth - 1, paths)
        elif kind < 0.5:
            os.symlink(rng.choice(["nowhere", "a", "x.txt", ".."]), path)
        elif kind < 0.53:
            os.mkfifo(path)
        else:
            with open(path, "w") as file:
                file.write("x" * rng.choice([0, 0, 1, 999, 1000, 1024, 5000]))
            os.chmod(path, rng.choice([0o644, 0o755, 0o600]))
            time = rng.choice([0, 10**9, 1_600_000_000])
            os.utime(path, (time, time))
        paths.append(path)
    for name in (".gitignore", ".ignore", ".fdignore"):
        if rng.random() < 0.15:
            with open(os.path.join(directory, name), "w") as file:
                file.write("\n".join(rng.choices(RULES, k=rng.choice([1, 2, 4]))) + "\n")
    if rng.random() < 0.05 and not os.path.lexists(os.path.join(directory, ".git")):
        subprocess.run(["git", "init", "-q", "--template=", directory], check=True, env=ENVIRONMENT)


def command_line(rng, directories):
    """Words, and the PATHs behind them."""
    words = []

    def maybe(chance, *choices):
        if rng.random() < chance:
            choice = rng.choice(choices)
            words.extend(choice if isinstance(choice, list) else [choice])

    maybe(0.3, "-H", "--hidden")
    maybe(0.3, "-I", "--no-ignore", "-u", "-uu", "--no-ignore-vcs", "--no-ignore-parent", ["-I", "--ignore"])
    maybe(0.2, "-s", "-i", ["-s", "-i"], ["-i", "-s"])
    maybe(0.2, ["-d", "1"], ["-d", "2"], "--max-depth=3", "--min-depth=2", "--exact-depth=2", "-d0")
    maybe(0.3, ["--type", "f"], ["-td"], ["-tl"], ["-tf", "-tl"], ["-te"], ["-tx"], ["--type", "pipe"], ["-td", "-te"],
          ["-tf", "-te"], ["-tx", "-te"], ["--type=file"], ["-te", "-tl"])  # fmt: skip
    maybe(0.2, ["-e", "txt"], ["-e", ".c"], ["-e", "gz", "-e", "c"], ["-e", "tar.gz"], ["--extension=TXT"])
    maybe(0.1, ["-tf", "-S", "+1k"], ["-tf", "-S", "1000b"], ["-tf", "-S", "-1ki"], ["-tf", "--size=+1b", "-S-5k"])
    maybe(0.1, ["--changed-before", "2010-01-01"], ["--changed-within", "2015-01-01"], ["--newer", "10000d"],
          ["--older=1970-01-02"])  # fmt: skip
    maybe(0.05, ["-o", "root"], ["-o", "!root"], ["-o", ":0"], ["--owner", "12345:"])
    maybe(0.2, ["-E", "*.txt"], ["-E", "a"], ["-E", "/src"], ["-E", "b/"], ["-E", "a", "--exclude=*.c"])
    maybe(0.1, "--prune")
    maybe(0.1, "-a", "--absolute-path", ["-a", "--relative-path"])
    maybe(0.05, "--path-separator=::", "--one-file-system", "--show-errors", "--threads=1", "--color=never")
    if {"-S", "--size=+1b"} & set(words):  # for fd, links to files are files
        words = [word for word in words if word != "-tl"]
    full = rng.random() < 0.1
    mode = rng.choices(["regex", "glob", "fixed"], [6, 3, 1])[0]
    patterns = PATHS if full else {"regex": PATTERNS, "glob": GLOBS, "fixed": TEXTS}[mode]
    if full:
        words.append("-p")
    else:
        words += {"regex": [], "glob": ["-g"], "fixed": ["-F"]}[mode]
    tail = [rng.choice(patterns)]
    if rng.random() < 0.1:
        words += ["--and", rng.choice(patterns)]
    if rng.random() < 0.4:
        tail += [rng.choice(directories) for _ in range(rng.choice([1, 1, 2]))]
    elif rng.random() < 0.2:
        words += ["--search-path", rng.choice(directories)]
    if len(tail) > 2:
        words = ["src" if word == "/src" else word for word in words]
    if any(word in directories[1:] for word in words + tail[1:]):
        words.append("--no-ignore-parent")
    run = rng.random()
    if run < 0.1:
        tail += ["-x", "printf", "%s|%s|%s|%s\\0", "{}", "{/}", "{//}", "{/.}"]
    elif run < 0.2:
        words.append("-0")
    return [*words, *tail]


def run(command, cwd):
    done = subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, timeout=60,
                          stdin=subprocess.DEVNULL)  # fmt: skip
    end = b"\0" if b"\0" in done.stdout else b"\n"
    return sorted(done.stdout.split(end)), done.returncode, done.stderr


class Different(Exception):
    pass


def compare(trawl_path, words, cwd):
    wanted = run([FD, *words], cwd)
    if wanted[1] == 2:
        return  # more goes together than fd takes
    got = run([trawl_path, "find", *words], cwd)
    more, less = set(got[0]) - set(wanted[0]), set(wanted[0]) - set(got[0])
    if got[:2] != wanted[:2]:
        raise Different(f"{words}\nmore: {more}\nless: {less}\n{wanted[1:]} {got[1:]}")


def run_seed(trawl_path, top, seed):
    rng = random.Random(seed)
    paths = []
    os.mkdir(top)
    fill(rng, top, rng.choice([1, 2, 3, 4]), paths)
    directories = ["."] + [os.path.relpath(path, top) for path in paths
                           if os.path.isdir(path) and not os.path.islink(path)]  # fmt: skip
    directories = [path for path in directories if not path.startswith("-")]
    for _ in range(COMMANDS_PER_TREE):
        words = command_line(rng, directories)
        try:
            compare(trawl_path, words, top)
        except Different as error:
            rules = "".join(f"\n--- {path}\n{open(path).read()}" for path in rule_files(top))
            pytest.fail(f"TRAWL_SEED={seed} {error}{rules}")
    shutil.rmtree(top)


def rule_files(top):
    for directory, _, names in os.walk(top):
        for name in names:
            if name.endswith("ignore"):
                yield os.path.relpath(os.path.join(directory, name))


def seeds():
    if "TRAWL_SEED" in os.environ:
        return [int(os.environ["TRAWL_SEED"])]
    return range(1, ROUNDS + 1)


def test_random_trees_and_options(trawl_path, tmp_path):
    for seed in seeds():
        run_seed(trawl_path, tmp_path / f"{seed}", seed)


# --- what docs/man/trawl-find.1 lists under DIFFERENCES FROM FD ---------------------------------------


@pytest.fixture
def differ(trawl_path, tmp_path):
    """Runs both; each argument is what one of them finds, sorted."""

    def differ(words, theirs, ours):
        for command, expected in ([FD], theirs), ([trawl_path, "find"], ours):
            found, _, _ = run([*command, *words], tmp_path)
            assert found == sorted([b"", *map(os.fsencode, expected)]), command

    return differ


def test_difference_of_links(differ, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/loop").symlink_to("..")
    (tmp_path / "a/f").write_text("x" * 100)
    (tmp_path / "l").symlink_to("a/f")
    differ(["-L"], ["a/", "a/f", "l"], ["a/", "a/f", "a/loop/", "l"])
    differ(["-S", "-50b"], ["l"], [])
    (tmp_path / "broken").symlink_to("nowhere")
    differ(["-tx", "-tl", "b"], [], ["broken"])


def test_difference_of_repositories(differ, tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("x\n")
    (tmp_path / "x").touch()
    differ([], [], ["x"])


def test_difference_of_rules_above(differ, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/c").touch()
    (tmp_path / ".ignore").write_text("*/c\n")
    differ([], ["a/"], ["a/"])
    differ([".", "a"], ["a/c"], [])


def test_difference_of_newlines(differ, tmp_path):
    """fd's rules do not see beyond one."""
    (tmp_path / "new\nline").mkdir()
    (tmp_path / "new\nline" / "1").touch()
    (tmp_path / ".ignore").write_text("?\n")
    differ(["-0"], ["./new\nline/", "./new\nline/1"], ["./new\nline/"])


def test_difference_of_characters(differ, tmp_path):
    for name in ["éa", "É", "\udcff"]:
        (tmp_path / name).touch()
    differ(["\\w"], ["É", "éa"], ["éa"])
    differ(["\\p{L}a"], ["éa"], ["éa"])
    differ(["\\p{L}A"], [], [])
    (tmp_path / "Xb").touch()
    differ(["[[:upper:]]b"], ["Xb"], ["Xb"])
    (tmp_path / "XB").touch()
    differ(["[[:upper:]]b"], ["Xb"], ["XB", "Xb"])
    differ(["^.$"], ["É"], ["É", "\udcff"])
    differ(["-g", "?a"], [], ["éa"])
    differ(["-g", "é*"], ["éa"], ["É", "éa"])


def test_difference_of_excludes(differ, tmp_path):
    for directory in "ab":
        (tmp_path / directory).mkdir()
        (tmp_path / directory / "x").touch()
    differ(["-E", "/x", ".", "a", "b"], ["b/x"], [])


def test_difference_of_stems(differ, tmp_path):
    (tmp_path / "-x.c").touch()
    differ(["-x", "echo", "{.}"], ["-x"], ["./-x"])


def test_difference_of_long_paths(trawl_path, tmp_path):
    at = os.open(tmp_path, os.O_DIRECTORY)
    for _ in range(25):
        os.mkdir("d" * 200, dir_fd=at)
        at = os.open("d" * 200, os.O_DIRECTORY, dir_fd=at)
    os.close(os.open("deepest", os.O_CREAT | os.O_WRONLY, dir_fd=at))
    assert run([FD, "deepest"], tmp_path)[0] == [b""]
    assert run([trawl_path, "find", "deepest"], tmp_path)[0][1].endswith(b"/deepest")
