# SPDX-License-Identifier: Apache-2.0
"""`trawl find`: what it prints and runs, its messages and exit statuses. What it finds is compared
with fd and find in differential/."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time

import pytest

from cli.on_terminal import on_terminal

ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}


@pytest.fixture
def run(trawl_path, tmp_path):
    """Runs it in `tmp_path`."""

    def run(*arguments, env=None, **options):
        return subprocess.run([trawl_path, "find", *arguments], capture_output=True, timeout=120,
                              **{"cwd": tmp_path, "env": {**ENVIRONMENT, **(env or {})},
                                 "stdin": subprocess.DEVNULL, **options})  # fmt: skip

    return run


@pytest.fixture
def lines(run):
    """What is found, sorted; nothing may go wrong."""

    def lines(*arguments, **options):
        result = run(*arguments, **options)
        assert result.returncode == 0 and result.stderr == b"", result
        return sorted(result.stdout.decode().splitlines())

    return lines


@pytest.fixture
def tree(tmp_path):
    for path in ["a/b.d/g.tar.gz", "a/f.txt", "-dash", ".hid/x", "top"]:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (tmp_path / "a/e").mkdir()
    (tmp_path / "link").symlink_to("a")
    return tmp_path


def message(result):
    assert result.stdout == b""
    return result.stderr.decode()


# --- paths ------------------------------------------------------------------------------------------


def test_prints_paths_as_fd_does(lines, tree):
    assert lines("-d1") == ["-dash", "a/", "link", "top"]
    assert lines("-d1", ".", ".") == ["./-dash", "./a/", "./link", "./top"]
    assert lines("-d1", ".", "./") == ["./-dash", "./a/", "./link", "./top"]
    assert lines(".", "a") == ["a/b.d/", "a/b.d/g.tar.gz", "a/e/", "a/f.txt"]
    assert lines("-d1", ".", "link") == ["link/b.d/", "link/e/", "link/f.txt"]
    assert lines("-d1", ".", "a/b.d/..") == ["a/b.d/../b.d/", "a/b.d/../e/", "a/b.d/../f.txt"]
    assert lines("-a", "-d1", ".", "a/b.d/..") == [f"{tree}/a/{name}" for name in ["b.d/", "e/", "f.txt"]]
    assert lines("--base-directory", "a", "-d1") == ["b.d/", "e/", "f.txt"]
    assert lines("-C", "a", "f", "../link") == ["../link/f.txt"]
    assert lines("--search-path", "a/e", "--search-path", "a/b.d") == ["a/b.d/g.tar.gz"]
    assert lines("f", "a", "a") == ["a/f.txt", "a/f.txt"]
    assert lines("--path-separator", "::", "txt") == ["a::f.txt"]


def test_paths_that_commands_read_never_look_like_options(run, tree):
    (tree / "-directory").mkdir()
    (tree / "-directory" / "x").touch()
    assert run("-0", "dash").stdout == b"./-dash\0"
    assert run("-0", "x", "--", "-directory").stdout == b"./-directory/x\0"
    assert run("x", "--", "-directory").stdout == b"-directory/x\n"
    assert run("x", "--search-path=-directory", "-x", "echo").stdout == b"./-directory/x\n"
    assert run("dash", "-x", "echo", "{}", "{.}", "{/}").stdout == b"./-dash ./-dash -dash\n"
    assert run("dash", "--strip-cwd-prefix", "-x", "echo").stdout == b"-dash\n"
    assert run("dash", "--strip-cwd-prefix=auto", "-x", "echo").stdout == b"./-dash\n"
    assert run("dash", "--strip-cwd-prefix=never").stdout == b"./-dash\n"


def test_names_are_bytes(run, tmp_path):
    names = [b"new\nline", b"\xff\xfe", b"quote'\"", b" ", b"\x1b[31m", b"{}", b"x" * 255]
    for name in names:
        open(os.path.join(os.fsencode(tmp_path), name), "w").close()
    found = run("-0", "--strip-cwd-prefix").stdout
    assert sorted(found.split(b"\0")[:-1]) == sorted(names)
    assert sorted(run("-x", "printf", "%s\\0", "{/}").stdout.split(b"\0")[:-1]) == sorted(names)
    assert sorted(run("-X", "printf", "%s\\0", "{/}").stdout.split(b"\0")[:-1]) == sorted(names)
    paths = [json.loads(line)["path"] for line in run("--json").stdout.splitlines()]
    assert len(paths) == len(names) and "new\nline" in paths


def test_finds_below_path_max(run, tmp_path):
    at = os.open(tmp_path, os.O_DIRECTORY)
    for _ in range(25):
        os.mkdir("d" * 200, dir_fd=at)
        below = os.open("d" * 200, os.O_DIRECTORY, dir_fd=at)
        os.close(at)
        at = below
    os.close(os.open("deepest", os.O_CREAT | os.O_WRONLY, dir_fd=at))
    os.mkdir("marked", dir_fd=at)
    os.close(os.open("marked/TAG", os.O_CREAT | os.O_WRONLY, dir_fd=at))
    os.close(at)
    result = run("deepest")
    assert result.stdout == b"/".join([b"d" * 200] * 25) + b"/deepest\n" and result.returncode == 0
    assert run("marked", "--ignore-contain", "TAG").stdout == b""
    assert run("TAG", "--ignore-contain", "TAG").stdout == b""
    assert len(run("marked").stdout) > 5000


def test_formats(run, lines, tree):
    assert lines("gz", "--format", "{} {/} {//} {.} {/.} {{}}") == [
        "a/b.d/g.tar.gz g.tar.gz a/b.d a/b.d/g.tar g.tar {}"
    ]
    assert lines("b.d", "--format", "{}", "--path-separator=:") == ["a:b.d"]
    assert run("gz", "--format={/}", "-0").stdout == b"g.tar.gz\0"
    (entry,) = map(json.loads, lines("f.txt", "--json"))
    assert entry["path"] == "a/f.txt" and entry["type"] == "file" and entry["size"] == 0
    details = run("-l", "-d1").stdout.decode().splitlines()
    assert [line.split()[-1] for line in details if "->" not in line] == ["-dash", "a", "top"]
    assert any(line.endswith("link -> a") and line.startswith("lrwxrwxrwx ") for line in details)


def test_colours(run, tree):
    colors = {"LS_COLORS": "di=1;34:ln=36:ex=32:*.gz=31"}
    (tree / "a/f.txt").chmod(0o755)
    got = run("-c", "always", "[ab]", "a", env=colors).stdout.split(b"\n")
    assert sorted(got) == [b"", b"\033[1;34ma/\033[0m\033[1;34mb.d\033[0m\033[1;34m/\033[0m",
                           b"\033[1;34ma/b.d/\033[0m\033[31mg.tar.gz\033[0m"]  # fmt: skip
    assert run("-c", "always", "f.txt", env=colors).stdout == b"\033[1;34ma/\033[0m\033[32mf.txt\033[0m\n"
    assert run("-c", "always", "top", env=colors).stdout == b"top\n"
    assert run("-c", "always", "link", env=colors).stdout == b"\033[36mlink\033[0m\n"
    assert b"\033" not in run(env=colors).stdout


def test_colours_of_a_terminal(trawl_path, tree, monkeypatch):
    monkeypatch.chdir(tree)
    command = [str(trawl_path), "find", "link"]
    environment = {**ENVIRONMENT, "TERM": "xterm", "LS_COLORS": "ln=36"}
    assert on_terminal(command, environment) == (b"\033[36mlink\033[0m\r\n", 0)
    assert on_terminal(command, {**environment, "NO_COLOR": "1"}) == (b"link\r\n", 0)
    assert on_terminal([*command, "--hyperlink"], environment)[0].startswith(b"\033]8;;file://")
    assert on_terminal([*command, "-c", "never"], environment) == (b"link\r\n", 0)


def test_hyperlinks(run, tree):
    (tree / "a b\xff\n").touch()
    host = os.uname().nodename.encode()
    url = b"file://" + host + os.fsencode(tree) + b"/a%20b%C3%BF%0A"
    assert run("a b", "--hyperlink=always").stdout == (
        b"\033]8;;" + url + b"\033\\" + "a b\xff\n".encode() + b"\033]8;;\033\\\n"
    )
    assert run("a b", ".", "--hyperlink=always").stdout.startswith(b"\033]8;;" + url)
    assert run("top", "--hyperlink").stdout == b"top\n"
    assert run("top", "--hyperlink=auto", "--color=always").stdout.startswith(b"\033]8")


# --- order and number -------------------------------------------------------------------------------


def test_sorts(run, tmp_path):
    for i, (name, size) in enumerate([("b", 5), ("su/a", 700), ("c", 5), ("su/d", 20)]):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * size)
        os.utime(path, (1000 + i, 1000 + i))
    def names(*arguments):
        return run("[abcd]$", *arguments).stdout.decode().split()
    assert names("--sort", "path") == ["b", "c", "su/a", "su/d"]
    assert names("--sort=name") == ["su/a", "b", "c", "su/d"]
    assert names("--sort=size") == ["su/a", "su/d", "b", "c"]
    assert names("--sort=mtime") == ["su/d", "c", "su/a", "b"]
    assert names("--sort=name", "--max-results=2") == ["su/a", "b"]
    assert names("--top=3") == ["su/a", "su/d", "b"]
    assert names("--top=1", "--by=mtime") == ["su/d"]
    assert names("--top=9", "--by=ctime") == ["su/d", "c", "su/a", "b"]
    assert names("--top=0") == []
    assert run("[abcd]$", "--sort=path", "-j1", "-x", "echo").stdout.split() == [
        b"./b", b"./c", b"./su/a", b"./su/d"]  # fmt: skip


def test_stops_after_so_many(run, tmp_path):
    for i in range(300):
        (tmp_path / f"d{i}").mkdir()
        for j in range(10):
            (tmp_path / f"d{i}" / f"f{j}").touch()
    for count in (1, 2, 7, 299, 3000):
        for threads in ("1", "4"):
            got = run("f", f"--max-results={count}", "-j", threads).stdout.splitlines()
            assert len(got) == len(set(got)) == count
    assert len(run("-1").stdout.splitlines()) == 1
    assert len(run("f", "--max-results=0").stdout.splitlines()) == 3000
    assert len(run("f", "--max-results=5", "-x", "echo").stdout.splitlines()) == 5
    stats = run("f", "-1", "--stats=json", "-j1")
    assert int(re.search(rb'"entries": ?(\d+)', stats.stderr)[1]) < 1000


def test_quiet(run, tree):
    for pattern, status in [("gz", 0), ("nothing", 1)]:
        result = run("-q", pattern)
        assert (result.returncode, result.stdout, result.stderr) == (status, b"", b"")
    assert run("--has-results", "gz").returncode == 0


# --- what is searched -------------------------------------------------------------------------------


def test_leaves_out_what_fd_leaves_out(lines, tree):
    (tree / ".gitignore").write_text("*.txt\n")
    (tree / ".ignore").write_text("top\n")
    (tree / "a/.fdignore").write_text("e/\n")
    def names(*arguments):
        return lines("^[^.]", "-E", ".git", *arguments)
    everything = ["-dash", "a/", "a/b.d/", "a/b.d/g.tar.gz", "a/e/", "a/f.txt", "link", "top"]
    def without(*names):
        return [name for name in everything if name not in names]
    assert names() == without("a/e/", "top")
    assert names("--no-require-git") == without("a/e/", "top", "a/f.txt")
    subprocess.run(["git", "init", "-q", tree], check=True)
    assert names() == without("a/e/", "top", "a/f.txt")
    assert names("--no-ignore-vcs") == without("a/e/", "top")
    assert names("-I") == everything
    assert names("-I", "--ignore") == names()
    assert ".hid/x" in names("-u") and ".hid/x" in names("-uu")
    assert names("-H") == sorted([*names(), ".hid/x"])
    assert names("-H", "--no-hidden") == names() == names("-u", "--ignore", "--no-hidden")
    assert lines("-d1", ".", "a") == ["a/b.d/"]
    assert lines("-d1", ".", "a", "--no-ignore-parent") == ["a/b.d/", "a/f.txt"]
    assert names("-E", "*.gz", "-E", "link") == without("a/e/", "top", "a/f.txt", "a/b.d/g.tar.gz", "link")
    assert names("-I", "-E", "/a") == ["-dash", "link", "top"]
    assert names("--ignore-contain", "g.tar.gz") == ["-dash", "a/", "link"]


def test_odd_excludes(lines, tmp_path):
    for name in ["#a", "!b", "c"]:
        (tmp_path / name).touch()
    assert lines("-E", "#a") == ["!b", "c"]
    assert lines("-E", "!b") == ["#a", "c"]


def test_excludes_with_choices(lines, tmp_path):
    for name in ["a.jpg", "a.png", "a.txt", "b.png", "{c,d}", "e,f"]:
        (tmp_path / name).touch()
    assert lines("-E", "*.{jpg,png}") == ["a.txt", "e,f", "{c,d}"]
    assert lines("-E", "{a.{jpg,t*t},b[.,]png,\\{c\\,d\\}}") == ["a.png", "e,f"]
    assert lines("-E", "\\{c,d\\}") == ["a.jpg", "a.png", "a.txt", "b.png", "e,f"]


@pytest.mark.parametrize("glob", ["[a-", "{a", "a\\", "{a,b}" * 20])
def test_bad_excludes(run, glob):
    out = run("-E", glob)
    assert out.returncode == 1
    assert b"bad glob" in out.stderr and b"^" in out.stderr


def test_rules_may_come_from_a_pipe(lines, tmp_path):
    (tmp_path / "a.o").touch()
    (tmp_path / "a.c").touch()
    assert lines("--ignore-file", "/dev/null") == ["a.c", "a.o"]
    reader, writer = os.pipe()
    os.write(writer, b"*.o\n")
    os.close(writer)
    try:
        assert lines("--ignore-file", f"/dev/fd/{reader}", pass_fds=[reader]) == ["a.c"]
    finally:
        os.close(reader)


def test_a_deep_link_hides_nothing_within_the_depth(lines, tmp_path):
    (tmp_path / "d/s").mkdir(parents=True)
    (tmp_path / "d/s/file").touch()
    (tmp_path / "z/1/2").mkdir(parents=True)
    (tmp_path / "z/1/2/link").symlink_to("../../../d")
    assert "d/s/file" in lines("-L", "-d5")


def test_global_ignore_files(lines, tree):
    config = tree / ".config"
    for program, rules in [("fd", "*.txt\n*.gz\n"), ("trawl", "!*.gz\ntop\n")]:
        (config / program).mkdir(parents=True)
        (config / program / "ignore").write_text(rules)
    for env in ({"XDG_CONFIG_HOME": str(config)}, {"HOME": str(tree)}):
        assert lines("[ztp]$", env=env) == ["a/b.d/g.tar.gz"]
        assert lines("[ztp]$", "--no-global-ignore-file", env=env) == ["a/b.d/g.tar.gz", "a/f.txt", "top"]
        assert lines("[ztp]$", "-I", env=env) == ["a/b.d/g.tar.gz", "a/f.txt", "top"]
    rules = tree / "rules"
    rules.write_text("link\n")
    assert "link" not in lines("--ignore-file", "rules") and "link" in lines()
    assert "link" not in lines("-I", "--ignore-file", "rules")


def test_depths_and_pruning(lines, tree):
    assert lines("--min-depth=2", "-d2") == lines("--exact-depth=2") == ["a/b.d/", "a/e/", "a/f.txt"]
    assert lines("-d0") == []
    assert lines("--min-depth=3") == ["a/b.d/g.tar.gz"]
    assert lines("--prune", "b|g") == ["a/b.d/"]
    assert lines("--prune") == lines("-d1")
    assert lines("--prune", "--min-depth=2") == ["a/b.d/", "a/e/", "a/f.txt"]


def test_empty_directories(lines, tree):
    (tree / "a/e2").mkdir()
    (tree / "a/e2/.hidden").touch()
    assert lines("-te", "-td") == ["a/e/"]
    assert lines("-te", "-td", "-d2") == ["a/e/"]
    assert lines("-te", "-td", "-d1") == []
    assert lines("-te", "-td", "--prune") == ["a/e/"]
    assert lines("-te", "-td", "-l")[0].endswith(" a/e")
    assert lines("-te") == ["-dash", "a/b.d/g.tar.gz", "a/e/", "a/f.txt", "top"]
    assert lines("-te", "-1", "-td", "e") == ["a/e/"]


def test_links(lines, run, tree):
    (tree / "a/loop").symlink_to("..")
    (tree / "broken").symlink_to("nowhere")
    found = lines("-L", "-j1")
    assert "broken" in found and "link/" in found
    # Each directory is entered once, by one of its paths.
    assert len([path for path in found if path.endswith("f.txt")]) == 1
    assert lines("-L", "-tl") == ["broken"]
    assert "a/loop" in lines("-L", "--no-follow")
    assert run("-L").returncode == 0


# --- commands ---------------------------------------------------------------------------------------


def test_commands_take_all_words(lines, tree):
    assert lines("gz", "-x", "echo", "-n", "-e", "hello") == ["hello ./a/b.d/g.tar.gz"]
    assert lines("top", "-x", "echo", "{}", ";", "-H", "-x", "echo", "two") == ["./top", "two ./top"]
    assert lines("-xecho", "top") == ["./top"]
    assert lines("top", "--exec=echo") == ["./top"]
    assert lines("-X", "echo", "a", ";", "t[ox]") in (["a ./a/f.txt ./top"], ["a ./top ./a/f.txt"])
    assert lines("top", "-X", "echo", "<{/}>", "end", "--sort=name") == ["<top> end --sort=name"]
    assert lines("t[ox]", "--sort=name", "-X", "echo", "<{/}>", "end") == ["<f.txt> <top> end"]


def test_batches(run, tmp_path):
    for i in range(10):
        (tmp_path / f"{i}").touch()
    counts = [len(line.split()) for line in run("-X", "echo", "--batch-size=3").stdout.splitlines()]
    assert counts == [11]  # --batch-size is echo's
    counts = [len(line.split()) for line in run("--batch-size=3", "-X", "echo").stdout.splitlines()]
    assert sorted(counts) == [1, 3, 3, 3]
    assert run("nothing", "-X", "echo").stdout == b""


def test_failing_commands(run, tree):
    assert run("top", "-x", "false").returncode == 1
    assert run("-X", "sh", "-c", "exit 7").returncode == 1
    result = run("top", "-x", "false", ";", "-x", "echo", "not reached")
    assert result.returncode == 1 and result.stdout == b""
    result = run("-x", "nonexistent-command")
    assert result.returncode == 1
    assert message(result) == "trawl find: command not found: 'nonexistent-command'\n"
    result = run("top", "-x", "sh", "-c", "kill -9 $$")
    assert result.returncode == 1 and message(result) == "trawl find: 'sh' was killed: Killed\n"
    (tree / "script").write_text("#!/bin/sh\n")
    result = run("top", "-x", "./script")
    assert result.returncode == 1
    assert message(result) == "trawl find: cannot run './script': Permission denied\n"
    result = run("top", "-x", "sh", "-c", "echo said; echo complained >&2")
    assert (result.stdout, result.stderr, result.returncode) == (b"said\n", b"complained\n", 0)


def test_timeout_ends_what_is_still_to_be_run(run, tmp_path):
    for i in range(10):
        (tmp_path / f"f{i}").touch()
    for order in ([], ["--sort=name"]):
        begin = time.monotonic()
        result = run("-j2", "--timeout=200ms", *order, "-x", "sh", "-c", "sleep 0.5; echo $0")
        assert time.monotonic() - begin < 2, order
        assert result.returncode == 1 and b"--timeout" in result.stderr, result
        assert len(result.stdout.splitlines()) < 10, order


def test_few_descriptors_make_commands_wait(run, tmp_path):
    for i in range(200):
        (tmp_path / f"f{i}").touch()
    result = run("-j32", "-x", "echo",
                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24)))  # fmt: skip
    assert (result.returncode, result.stderr) == (0, b"")
    assert len(result.stdout.splitlines()) == 200


@pytest.mark.parametrize("options", (["--batch-size=1", "-X"], ["-j1", "-x"]))
def test_commands_end_without_a_word_when_nobody_reads(trawl_path, tmp_path, options):
    for i in range(20):
        (tmp_path / f"f{i}").touch()
    reader, writer = os.pipe()
    os.close(reader)
    script = "echo >> runs; kill -PIPE $$"
    result = subprocess.run([trawl_path, "find", "^f", *options, "sh", "-c", script], cwd=tmp_path,
                            stdout=writer, stderr=subprocess.PIPE, timeout=60)  # fmt: skip
    os.close(writer)
    assert (result.returncode, result.stderr) == (1, b"")
    assert (tmp_path / "runs").read_text() == "\n"


def test_output_of_commands_is_untangled(run, tmp_path):
    for i in range(20):
        (tmp_path / f"{i}").touch()
    # Lines one after another, and more of them than is kept in memory.
    script = "for i in 1 2 3; do echo $1; sleep 0.01; done; yes $1 | head -c 200000"
    words = run("-j4", "-x", "sh", "-c", script, "sh", "{/}").stdout.split(b"\n")
    changes = sum(1 for one, next in zip(words, words[1:]) if one != next and one and next)
    assert changes <= 40
    script = "yes $1 | head -c 3000000"
    words = run("-j4", "-x", "sh", "-c", script, "sh", "{/}").stdout.split(b"\n")
    changes = sum(1 for one, next in zip(words, words[1:]) if one != next)
    assert changes <= 41


def test_a_single_job_has_our_terminal(trawl_path, tree, monkeypatch):
    monkeypatch.chdir(tree)
    command = [str(trawl_path), "find", "top", "-j1", "-x", "sh", "-c", "test -t 0 && test -t 1 && echo yes"]
    assert on_terminal(command, ENVIRONMENT) == (b"yes\r\n", 0)
    command[3] = "-j2"
    assert on_terminal(command, ENVIRONMENT) == (b"", 1)
    command[3:5] = ["-X"]
    assert on_terminal(command, ENVIRONMENT) == (b"yes\r\n", 0)


def test_commands_inherit_nothing(run, tree):
    read, write = os.pipe()
    for command in ("-x", "-X"):
        seen = run("top", command, "ls", "/proc/self/fd", ";", pass_fds=()).stdout.split()
        assert b"3" in seen and b"4" not in seen, seen
        blocked = run("top", command, "grep", "-h", "SigBlk", "/proc/self/status", ";").stdout
        assert [int(line.split()[1], 16) for line in blocked.splitlines()] == [0]
    os.close(read)
    os.close(write)


@pytest.mark.parametrize(("mode", "directories"), [("-x", 2), ("-X", 100)])
def test_many_results(trawl_path, tmp_path, mode, directories):
    """100,000 in batches; a process for each would take minutes, so there are fewer of them."""
    for i in range(directories):
        (tmp_path / f"{i}").mkdir()
        for j in range(1000):
            os.close(os.open(tmp_path / f"{i}" / f"{'name' * 10}{j}", os.O_CREAT | os.O_WRONLY))
    words = ["-X", "sh", "-c", 'printf "%s\n" "$@"', "sh"] if mode == "-X" else ["-x", "echo", "{}"]
    pattern, count = "name", directories * 1000
    process = subprocess.Popen([trawl_path, "find", pattern, *words], cwd=tmp_path, env=ENVIRONMENT,
                               stdout=subprocess.PIPE)
    lines = {process.stdout.readline() for _ in range(count - count // 10)}
    with open(f"/proc/{process.pid}/status") as status:
        most = int(re.search(r"VmHWM:\s*(\d+) kB", status.read())[1])
    lines |= set(process.stdout.read().splitlines(keepends=True))
    assert process.wait() == 0 and len(lines) == count
    assert most < 40_000


def interrupted(trawl_path, tree, *arguments, signal_number=signal.SIGINT, whole_group=True):
    process = subprocess.Popen([trawl_path, "find", *arguments], cwd=tree, env=ENVIRONMENT,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    process.stdout.readline()  # one command runs
    (os.killpg if whole_group else os.kill)(process.pid, signal_number)
    start = time.monotonic()
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err, time.monotonic() - start


@pytest.mark.parametrize("jobs", ["-j1", "-j3"])
def test_an_interrupt_ends_commands_and_starts_none(trawl_path, tmp_path, jobs):
    for i in range(50):
        (tmp_path / f"{i}").touch()
    script = "echo $0 >> ../started; yes $0 | head -c 2000000; sleep 30"
    os.mkdir(tmp_path / "in")
    for i in range(50):
        (tmp_path / "in" / f"{i}").touch()
    status, _, err, seconds = interrupted(trawl_path, tmp_path / "in", jobs, "-x", "sh", "-c", script)
    assert status == 130 and seconds < 20
    assert b"interrupted" in err
    assert len((tmp_path / "started").read_text().splitlines()) <= int(jobs[2:])


def test_an_interrupt_waits_for_commands_that_do_not_mind(trawl_path, tree):
    script = "trap '' INT; echo started; sleep 1; echo done > finished"
    status, _, _, _ = interrupted(trawl_path, tree, "top", "-j1", "-x", "sh", "-c", script)
    assert status == 130
    assert (tree / "finished").read_text() == "done\n"


# --- messages ---------------------------------------------------------------------------------------


def test_bad_patterns_have_a_caret(run, tree):
    result = run("ab[c")
    assert result.returncode == 1
    said = message(result).splitlines()
    assert said[0].startswith("trawl find: bad regular expression: ")
    assert said[1] == "    ab[c" and said[2].strip() == "^" and len(said[2]) >= 5
    assert "--fixed-strings" in said[3]
    result = run("-g", "é[")
    assert result.returncode == 1
    said = message(result).splitlines()
    assert said[0].startswith("trawl find: bad glob: ") and said[1] == "    é[" and len(said) == 3
    assert run("good", "--and", "(").returncode == 1
    assert run("-F", "ab[c").returncode == 0


def test_hints(run, tree):
    result = run("a/b.d")
    assert result.returncode == 1
    assert "`trawl find . a/b.d`" in message(result) and "--full-path" in message(result)
    assert run("-g", "a/*.txt").returncode == 1
    assert run("-p", "a/b.d").returncode == 0
    assert run("a/x").returncode == 0  # a regular expression may have one and match
    result = run("^\\.h")
    assert result.returncode == 1 and "--hidden" in message(result)
    assert run("^\\.h", "-H").stdout == b".hid/\n"
    for pattern in ("^.h", "\\.h", "^(\\.h|x)", "^\\.h|x", "^\\.?h", "-F=.h"):
        assert run(pattern).returncode in (0, 2), pattern


def test_search_paths_that_are_none(run, tree):
    result = run(".", "nonexistent", "a/b.d", "top")
    assert result.returncode == 1
    assert result.stdout == b"a/b.d/g.tar.gz\n"
    assert result.stderr == (b"trawl find: search path 'nonexistent': No such file or directory\n"
                             b"trawl find: search path 'top': Not a directory\n")  # fmt: skip
    assert run(".", "nonexistent").returncode == 1
    assert run("--base-directory", "nonexistent").returncode == 1


@pytest.mark.parametrize("arguments", [
    ["-t", "zz"], ["-S", "zz"], ["-S", "10x"], ["-o", "no-such-user-here"], ["-d", "x"], ["-d", "-1"], ["-j0"],
    ["-d2", "--exact-depth=2"], ["--min-depth=1", "--exact-depth=2"], ["--min-depth=3", "-d2"], ["-gF"],
    ["-x"], ["-x", ";"], ["-X"], ["-X", "{}"], ["-X", "echo", "{}", "{/}"], ["-x", "true", ";", "-X", "true"],
    ["-l", "-x", "true"], ["--json", "--format", "{}"], ["--json", "-0"], ["--batch-size=2"], ["-q", "-x", "true"],
    ["--sort=x"], ["--top=x"], ["--by=size"], ["--top=1", "--sort=name"], ["--color=x"], ["--hyperlink=x"],
    ["--strip-cwd-prefix", ".", "."], ["--search-path=.", ".", "."], ["--perm=9"], ["--links=x"], ["--nonsense"],
    ["--max-results=-1"], ["--strip-cwd-prefix=x"],
])  # fmt: skip
def test_wrong_usage(run, tmp_path, arguments):
    result = run(*arguments)
    assert result.returncode == 2
    assert message(result).startswith("trawl find: "), arguments


@pytest.mark.parametrize("arguments", [["--changed-within", "zz"], ["--changed-before", ""],
                                       ["--newer-than", "nonexistent"]])  # fmt: skip
def test_times_that_are_none(run, tmp_path, arguments):
    result = run(*arguments)
    assert result.returncode == 1
    assert message(result).startswith("trawl find: "), arguments


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_errors_are_shown(run, tree):
    (tree / "locked").mkdir()
    (tree / "locked").chmod(0)
    tree.chmod(0o755)
    os.chmod(tree.parent, 0o755)
    os.chmod(tree.parent.parent, 0o755)
    result = run("-d2", user=65534, group=65534, extra_groups=[])
    assert result.returncode == 1
    assert result.stderr == b"trawl find: cannot open './locked': Permission denied\n"
    assert b"locked/\n" in result.stdout
    assert run("locked", "-d1", user=65534, group=65534, extra_groups=[]).returncode == 0


def test_unreadable_rules(run, tree):
    (tree / ".ignore").symlink_to("nowhere/at/all")
    assert run("top").stdout == b"top\n"
    result = run("top", "--ignore-file", "nonexistent")
    assert result.returncode == 1 and result.stdout == b"top\n"
    assert b"nonexistent" in result.stderr


def test_explains(run, tree):
    result = run("-e", "txt", "-S", "+1k", "--explain", ".txt")
    assert result.returncode == 0 and result.stderr == b""
    text = result.stdout.decode()
    assert "what is hidden" in text and "metadata:\n  asked where a test needs it" in text
    assert "metadata:\n  not asked for" in run("--explain", "x").stdout.decode()
    assert "none: everything is found" in run("--explain").stdout.decode()


def test_a_closed_pipe_ends_it(trawl_path, tree):
    process = subprocess.run(f"'{trawl_path}' find . / | head -n 1", shell=True, capture_output=True,
                             timeout=60, env=ENVIRONMENT)  # fmt: skip
    assert process.stdout.count(b"\n") == 1 and process.stderr == b""


def test_streams(trawl_path, tmp_path):
    """What is found is there within 50 ms, though the walk is held up."""
    (tmp_path / "first").touch()
    (tmp_path / "sub").mkdir()
    process = subprocess.Popen([trawl_path, "find", "-j1", "-x", "sh", "-c", "echo $0; sleep 5"], cwd=tmp_path,
                               env=ENVIRONMENT, stdout=subprocess.PIPE, start_new_session=True)
    start = time.monotonic()
    assert process.stdout.readline() != b""
    assert time.monotonic() - start < 2
    os.killpg(process.pid, signal.SIGINT)
    process.wait(timeout=20)
    process.stdout.close()
