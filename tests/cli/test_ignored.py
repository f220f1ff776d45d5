# SPDX-License-Identifier: Apache-2.0
# labels: sanitize
"""trawl ignored: options, exit status and messages. What it answers: tests/differential/test_git_ignore.py."""

import os
import subprocess
import time

import pytest

ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": "/nonexistent", "GIT_CONFIG_GLOBAL": "/dev/null",
               "GIT_CONFIG_NOSYSTEM": "1"}  # fmt: skip


def git(where, *arguments, **options):
    done = subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@b", "-c", "protocol.file.allow=always",
                           *arguments], cwd=where, env=ENVIRONMENT, capture_output=True, timeout=60, **options)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def top(tmp_path):
    top = tmp_path / "top"
    top.mkdir()
    git(top, "init", "-q")
    (top / ".gitignore").write_text("# products\n*.o\n/build/\n!keep.o\n")
    return top


@pytest.fixture
def ignored(trawl_path, top):
    """Runs trawl ignored at the top. Returns (status, stdout, stderr)."""

    def ignored(*arguments, input=b"", cwd=top, environment=None, **options):
        if "stdout" not in options:
            options["stdout"] = subprocess.PIPE
        done = subprocess.run([trawl_path, "ignored", *arguments], input=input, stderr=subprocess.PIPE, cwd=cwd,
                              env={**ENVIRONMENT, **(environment or {})}, timeout=60, **options)  # fmt: skip
        return done.returncode, done.stdout, done.stderr.decode()

    return ignored


def both(ignored, top, *arguments, cwd=None, **options):
    """Git gives the same answer with the same status; returns it."""
    status, out, err = ignored(*arguments, cwd=cwd or top, **options)
    other = subprocess.run(["git", "check-ignore", *arguments], cwd=cwd or top, capture_output=True, env=ENVIRONMENT,
                           input=options.get("input", b""), timeout=60)  # fmt: skip
    assert (status, out, bool(err)) == (other.returncode, other.stdout, bool(other.stderr)), (err, other.stderr)
    return status, out, err


# --- answers and exit status -----------------------------------------------------------------------


def test_what_is_ignored_is_printed(ignored, top):
    assert both(ignored, top, "a.o", "a.c", "x/b.o", "keep.o") == (0, b"a.o\nx/b.o\n", "")


def test_nothing_is_ignored(ignored, top):
    assert both(ignored, top, "a.c", "keep.o") == (1, b"", "")


def test_the_rule(ignored, top):
    assert both(ignored, top, "-v", "a.o", "a.c", "keep.o") == (
        0, b".gitignore:2:*.o\ta.o\n.gitignore:4:!keep.o\tkeep.o\n", "")  # fmt: skip


def test_a_rule_that_takes_back_is_an_answer_with_v_only(ignored, top):
    assert both(ignored, top, "-v", "keep.o")[0] == 0
    assert both(ignored, top, "keep.o")[0] == 1


def test_what_no_rule_is_about(ignored, top):
    assert both(ignored, top, "-v", "-n", "a.c", "a.o") == (0, b"::\ta.c\n.gitignore:2:*.o\ta.o\n", "")
    assert both(ignored, top, "--verbose", "--non-matching", "a.c") == (1, b"::\ta.c\n", "")


def test_quiet(ignored, top):
    assert both(ignored, top, "-q", "a.o") == (0, b"", "")
    assert both(ignored, top, "-q", "a.c") == (1, b"", "")


def test_fields_end_with_nul(ignored, top):
    given = b"a.o\0new\nline.o\0a.c\0"
    assert both(ignored, top, "-z", "--stdin", input=given)[1] == b"a.o\0new\nline.o\0"
    assert both(ignored, top, "-z", "-v", "-n", "--stdin", input=given)[1] == (
        b".gitignore\x002\0*.o\0a.o\0.gitignore\x002\0*.o\0new\nline.o\0\0\0\0a.c\0")  # fmt: skip
    assert both(ignored, top, "-z", "--stdin", input=b"a.c\0a.o")[1] == b"a.o\0"


def test_odd_names_are_quoted_as_by_git(ignored, top):
    names = [b"new\nline.o", b"\xc3\xbc.o", b'q"uo.o', b"back\\slash.o", b"a b.o", b"\x01\x7f.o"]
    assert both(ignored, top, *map(os.fsdecode, names))[1] == (
        b'"new\\nline.o"\n"\\303\\274.o"\n"q\\"uo.o"\n"back\\\\slash.o"\na b.o\n"\\001\\177.o"\n')  # fmt: skip


def test_paths_need_not_exist_but_directories_tell_themselves(ignored, top):
    assert both(ignored, top, "build")[0] == 1
    assert both(ignored, top, "build/")[0] == 0
    assert both(ignored, top, "build/x/y")[0] == 0
    (top / "build").mkdir()
    assert both(ignored, top, "build")[0] == 0


def test_from_a_directory_below(ignored, top):
    (top / "sub/deep").mkdir(parents=True)
    (top / "sub/.gitignore").write_text("/only\n")
    for arguments in (["a.o"], ["../a.o"], ["only"], ["deep/only"], [str(top / "x.o")], ["../deep/../sub/only"]):
        both(ignored, top, "-v", "-n", *arguments, cwd=top / "sub")
    assert both(ignored, top, "-v", "../only", cwd=top / "sub/deep")[1] == b"sub/.gitignore:1:/only\t../only\n"


def test_an_absolute_path_by_way_of_a_link(ignored, top):
    link = top.parent / "link"
    link.symlink_to(top)
    assert both(ignored, top, str(link / "a.o"), str(link / "a.c"))[0] == 0
    assert both(ignored, link, "a.o")[0] == 0


# --- the index -------------------------------------------------------------------------------------


def test_what_is_tracked_is_not_ignored(ignored, top):
    (top / "build").mkdir()
    for name in ("a.o", "build/x", "build.o"):
        (top / name).touch()
    git(top, "add", "-f", "a.o", "build/x")
    assert both(ignored, top, "a.o", "build", "build/", "build/x", "build/y", "build.o") == (0, b"build/y\nbuild.o\n", "")
    assert both(ignored, top, "--no-index", "a.o", "build", "build/x")[1] == b"a.o\nbuild\nbuild/x\n"
    (top / "a.o").unlink()
    assert both(ignored, top, "a.o")[0] == 1


def test_a_broken_index(ignored, top):
    (top / ".git/index").write_bytes(b"DIRC what is this, then?")
    status, out, err = both(ignored, top, "a.o")
    assert (status, out) == (128, b"")
    assert err.startswith("trawl ignored: git's index ")
    assert both(ignored, top, "--no-index", "a.o")[0] == 0


def test_a_split_index_is_refused(ignored, top):
    (top / "a").touch()
    git(top, "add", "a")
    git(top, "update-index", "--split-index")
    assert ignored("a.o") == (128, b"", "trawl ignored: git's index is split in two files, which is not supported\n")


def test_in_a_submodule(ignored, top):
    inner = top.parent / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    (inner / ".gitignore").write_text("*.inner\n")
    git(inner, "add", ".")
    git(inner, "commit", "-q", "-m", "x")
    git(top, "submodule", "add", "-q", str(inner), "sub")
    assert both(ignored, top, "sub", "sub/") == (1, b"", "")
    status, out, err = both(ignored, top, "a.o", "sub/x.inner", "b.o")
    assert (status, out, err) == (128, b"", "trawl ignored: 'sub/x.inner' is in the submodule 'sub'\n")
    assert both(ignored, top, "x.inner", "x.o", cwd=top / "sub")[1] == b"x.inner\n"


# --- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [[], ["--stdin", "a"], ["-z", "a"], ["-q", "a", "b"], ["-q", "-v", "a"],
                                       ["-n", "a"], ["--frob", "a"], ["--stdin=x"]])  # fmt: skip
def test_bad_command_lines(ignored, arguments):
    status, out, err = ignored(*arguments)
    assert (status, out) == (128, b"") and err.startswith("trawl ignored: ")


@pytest.mark.parametrize("path", ["../a", "/", "/nonexistent", "", "sub/../../a", "../top/a"])
def test_outside_of_the_repository(ignored, top, path):
    status, out, err = both(ignored, top, path)
    assert (status, out) == (128, b"") and err.startswith("trawl ignored: ")


def test_beyond_a_link(ignored, top):
    (top / "link").symlink_to("build")
    assert both(ignored, top, "link.o", "link")[0] == 0
    for path in ("link/x", "link/"):
        assert both(ignored, top, path) == (128, b"", f"trawl ignored: '{path}' is beyond a symbolic link\n")


def test_answers_before_a_bad_line_are_given(ignored, top):
    assert both(ignored, top, "--stdin", input=b"a.o\n../x\nb.o\n")[:2] == (128, b"a.o\n")
    assert both(ignored, top, "--stdin", input=b"a.o\n\nb.o\n")[:2] == (128, b"a.o\n")


@pytest.mark.parametrize("line", [b'"a.o', b'"\\q"', b'"\\9"', b'"\\12"', b'"\\'])
def test_a_badly_quoted_line(ignored, top, line):
    status, out, err = both(ignored, top, "--stdin", input=b"a.o\n" + line + b"\n")
    assert (status, out) == (128, b"a.o\n") and "badly quoted" in err


def test_text_behind_a_quoted_path(ignored):
    """Git takes no notice of it."""
    assert ignored("--stdin", input=b'"a.o"x\n') == (128, b"", 'trawl ignored: a line is badly quoted: "a.o"x\n')


def test_quoted_lines(ignored, top):
    given = b'"a.o"\n"new\\nline.o"\n"\\303\\274.o"\nplain"quote.o\n"q\\"\\\\.o"\n'
    assert both(ignored, top, "--stdin", input=given)[0] == 0


def test_rules_that_cannot_be_read_are_said(ignored, top):
    (top / "sub").mkdir()
    (top / "sub/.gitignore").symlink_to(top / ".gitignore")
    status, out, err = both(ignored, top, "sub/a.c", "a.o")
    assert (status, out) == (0, b"a.o\n")
    assert err == "trawl ignored: cannot read the rules in 'sub/.gitignore': Too many levels of symbolic links\n"


# --- what git has not ------------------------------------------------------------------------------


def test_other_files_of_rules(ignored, top):
    (top / ".ignore").write_text("!a.o\n*.c\n")
    (top.parent / "more").write_text("/x\nkeep.o\n")
    assert ignored("a.o", "b.o", "a.c", "x") == (0, b"a.o\nb.o\n", "")
    assert ignored("--ignore-name=.ignore", "a.o", "b.o", "a.c", "x") == (0, b"b.o\na.c\n", "")
    assert ignored("-v", "--ignore-file=../more", "x", "keep.o")[1] == (
        b"../more:1:/x\tx\n.gitignore:4:!keep.o\tkeep.o\n")  # fmt: skip
    status, out, err = ignored("--ignore-file=missing", "a.o")
    assert (status, out) == (128, b"")
    assert err == "trawl ignored: cannot read the rules in 'missing': No such file or directory\n"
    assert ignored("--ignore-name=a/b", "a.o")[0] == 128


def test_outside_of_any_repository(ignored, tmp_path):
    """Git refuses; here the rules are those of the current directory and below."""
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / ".gitignore").write_text("*.o\n")
    (tree / "sub/.gitignore").write_text("!x.o\n")
    assert ignored("a.o", "sub/x.o", "sub/a.o", cwd=tree) == (0, b"a.o\nsub/a.o\n", "")
    assert ignored("a.o", cwd=tree / "sub") == (1, b"", "")
    assert ignored("../a.o", cwd=tree / "sub")[0] == 128


def test_a_nested_repository_has_its_own_rules(ignored, top):
    """Git applies the rules of the repository that it runs in there, too."""
    inner = top / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    (inner / ".gitignore").write_text("*.x\n")
    assert ignored("inner/a.o", "inner/a.x") == (0, b"inner/a.x\n", "")
    assert ignored("a.o", "a.x", cwd=inner) == (0, b"a.x\n", "")


def test_wildcards_and_magic_are_plain_in_paths(ignored, top):
    (top / "a.o").touch()
    git(top, "add", "-f", "a.o")
    assert ignored("*.o", ":(top)a.o", "?.o") == (0, b"*.o\n:(top)a.o\n?.o\n", "")


def test_the_top_is_never_ignored(ignored, top):
    (top / ".gitignore").write_text("*\n")
    assert ignored(".", "./", str(top)) == (1, b"", "")
    assert ignored("sub/.") == (0, b"sub/.\n", "")


def test_a_slash_at_the_end_is_no_name(ignored, top):
    """Git compares what is behind the slash, nothing, with rules without a pattern: here with a blank line."""
    (top / ".gitignore").write_bytes(b"a\r\n\r\n!\n")
    assert ignored("-v", "-n", "b/") == (1, b"::\tb/\n", "")


# --- output ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [b"\n", b"\0"])
def test_an_answer_comes_before_the_next_question(trawl_path, top, end):
    process = subprocess.Popen([trawl_path, "ignored", "--stdin", "-v", "-n", *(["-z"] if end == b"\0" else [])],
                               cwd=top, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    try:
        for name in (b"a.o", b"a.c", b"b.o"):
            process.stdin.write(name + end)
            begun = time.monotonic()
            answer = b""
            while not answer.endswith(name + end):
                answer += os.read(process.stdout.fileno(), 1000)
            assert time.monotonic() - begun < 20
        process.stdin.close()
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()


def test_many_paths(ignored):
    given = b"".join(b"%d/a.%c\n" % (i, b"oc"[i % 2]) for i in range(100_000))
    status, out, err = ignored("--stdin", input=given)
    assert (status, out.count(b"\n"), err) == (0, 50_000, "")


def test_no_paths(ignored, top):
    assert both(ignored, top, "--stdin") == (1, b"", "")


def test_a_path_that_is_too_long(ignored):
    status, out, err = ignored("--stdin", input=b"a.o\n" + b"x" * 2_000_000 + b"\nb.o\n")
    assert (status, out) == (128, b"a.o\n") and "too long" in err


def test_a_full_disk(ignored):
    with open("/dev/full", "wb") as full:
        status, _, err = ignored("a.o", stdout=full)
    assert status == 128 and "No space left on device" in err


def test_closed_output(ignored, trawl_path, top):
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        status, _, err = ignored("--stdin", input=b"a.o\n" * 100_000, stdout=write_end)
    finally:
        os.close(write_end)
    assert status in (128, -13, 141), err


def test_help(ignored):
    status, out, err = ignored("--help")
    assert (status, err) == (0, "") and b"--no-index" in out
