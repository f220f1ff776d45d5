# SPDX-License-Identifier: Apache-2.0
"""`trawl find` with ignore rules against `git ls-files`: the same files, in random repositories with
others in them, in trees outside of any, and in this project's own checkout.

A seed is a number; they count from 1. To repeat one:
    TRAWL_SEED=1234 pytest tests/differential/test_git_ls_files.py
TRAWL_ROUNDS is the number of repositories (default 120); ./dev soak takes 4000.

What is tracked is listed by git whatever the rules, and not by trawl (docs/ignore.md): here nothing is
tracked that they leave out.
"""

import os
import pathlib
import random
import subprocess
import time

import pytest

from differential.git import Repository
from differential.test_git_ignore import by_chance, listing, rounds_or

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIND = ["find", "-0", "-H", "-t", "f", "-t", "l", "-E", ".git"]
ALL = ["ls-files", "-co", "--exclude-standard", "-z"]


def items(output):
    return [item.removeprefix(b"./") for item in output.split(b"\0")[:-1]]


def add_repository(rng, repository, at):
    """Makes the directory `at` a repository's top, in one of the ways that git knows."""
    if rng.random() < 0.6:
        repository.git("init", "-q", cwd=at)
    else:
        elsewhere = os.path.join(repository.home, b"separate%d" % len(os.listdir(repository.home)))
        repository.git("init", "-q", "--separate-git-dir", elsewhere, cwd=at)
        if rng.random() < 0.5:
            relative = os.path.relpath(elsewhere, repository.path(at))
            repository.write(repository.path(os.path.join(at, b".git")), b"gitdir: " + relative + b"\n")
    exclude = repository.git("rev-parse", "--git-path", "info/exclude", cwd=at).strip(b"\n")
    if rng.random() < 0.5:
        repository.write(os.path.join(repository.path(at), exclude), repository.rules(2))


def break_repository(rng, repository, at):
    """A .git that is none: git takes the directory for one like any other."""
    path = repository.path(os.path.join(at, b".git"))
    kind = rng.choice(["empty", "no objects", "bad head", "file"])
    if kind == "file":
        repository.write(path, b"nothing")
        return
    os.mkdir(path)
    if kind != "empty":
        os.mkdir(os.path.join(path, b"refs"))
        repository.write(os.path.join(path, b"HEAD"), b"ref: refs/heads/x\n" if kind == "no objects" else b"what\n")
    if kind == "bad head":
        os.mkdir(os.path.join(path, b"objects"))


def track(rng, repository, nested, at):
    """Puts some of what is not ignored into the index of the repository at `at`."""
    listed = items(repository.git("ls-files", "-o", "--exclude-standard", "-z", cwd=at))
    chosen = [path for path in listed if not path.endswith(b"/") and rng.random() < 0.3]
    if chosen:
        repository.git("update-index", "--add", "-z", "--stdin", cwd=at, input=b"\0".join(chosen) + b"\0")
    for path in listed:
        if path.endswith(b"/") and os.path.join(at, path)[:-1] in nested and rng.random() < 0.3:
            # A submodule, as far as the index is concerned.
            line = b"160000 " + b"1" * 40 + b"\t" + path[:-1] + b"\0"
            repository.git("update-index", "--add", "-z", "--index-info", cwd=at, input=line)


def listed_by_git(repository, at=b""):
    out = set()
    for path in items(repository.git(*ALL, cwd=at)):
        full = os.path.join(at, path.rstrip(b"/"))
        if os.path.isdir(repository.path(full)) and not os.path.islink(repository.path(full)):
            out |= listed_by_git(repository, full)
        else:
            out.add(full)
    return out


def listed_by_trawl(trawl, repository, cwd, *options):
    done = subprocess.run([trawl, *FIND, *options], cwd=cwd, env=repository.environment, capture_output=True,
                          timeout=120)  # fmt: skip
    # A link for a .gitignore is not followed, and said.
    errors = [line for line in done.stderr.splitlines() if b"symbolic links" not in line]
    assert not errors, done.stderr
    return items(done.stdout)


def compare(seed, repository, ours, git):
    if sorted(ours) != sorted(git):
        raise AssertionError(
            f"TRAWL_SEED={seed}\nonly trawl: {sorted(set(ours) - set(git))[:10]}\n"
            f"only git: {sorted(set(git) - set(ours))[:10]}\n{listing(repository)}"
        )


def run_seed(trawl, place, seed):
    """Returns the number of paths."""
    rng = random.Random(seed)
    os.makedirs(place, exist_ok=True)
    repository = Repository(rng, os.path.join(place, b"top"), os.path.join(place, b"home"), most_rules=3)
    try:
        repository.build()
        below = [path for path in repository.directories if path != b""]
        rng.shuffle(below)
        nested = below[: rng.choice([0, 0, 1, 2, 4])]
        for at in nested:
            add_repository(rng, repository, at)
        for at in below[len(nested) :][: rng.choice([0, 0, 1])]:
            break_repository(rng, repository, at)
        # With core.ignoreCase, what differs from something tracked in case alone is that to git.
        if rng.random() < 0.6 and repository.ignore_case != "true":
            for at in [b"", *nested]:
                track(rng, repository, nested, at)
        git = listed_by_git(repository)
        compare(seed, repository, listed_by_trawl(trawl, repository, repository.top), git)
        # From a directory below: what counts there is above. Git lists what is asked for though it is ignored.
        for at in below[-2:]:
            inside = {path.removeprefix(at + b"/") for path in git if path.startswith(at + b"/")}
            if inside:
                compare(seed, repository, listed_by_trawl(trawl, repository, repository.path(at)), inside)
        return len(git)
    finally:
        if not os.environ.get("TRAWL_KEEP"):
            repository.remove()


def run_bare_seed(trawl, place, seed):
    """A tree outside of any repository. Git needs one to be asked at all: it is elsewhere."""
    rng = random.Random(f"bare {seed}")
    os.makedirs(place, exist_ok=True)
    repository = Repository(rng, os.path.join(place, b"top"), os.path.join(place, b"home"), most_rules=3)
    try:
        repository.build()
        away = os.path.join(repository.home, b"away")
        os.rename(repository.path(b".git"), away)
        repository.write(os.path.join(away, b"info/exclude"), b"")
        config = repository.config_of_repository
        if config:  # what only the repository knows is not known outside
            text = pathlib.Path(os.fsdecode(away), "config").read_bytes()
            repository.write(os.path.join(away, b"config"), text.replace(b"".join(config), b""))
        options = ["--git-dir", os.fsdecode(away), "--work-tree", "."]
        git = items(repository.git(*options, "ls-files", "-o", "--exclude-standard", "-z"))
        compare(seed, repository, listed_by_trawl(trawl, repository, repository.top, "--no-require-git"), git)
        return len(git)
    finally:
        repository.remove()


def run_rounds(trawl, sandbox, rounds, first):
    place = os.path.join(sandbox.home("tmpfs" if sandbox.can_mount else "host"), b"git-ls-files")
    begun = time.monotonic()
    paths = 0
    for seed in range(first, first + rounds):
        paths += run_seed(trawl, place, seed)
        if seed % 3 == 0:
            paths += run_bare_seed(trawl, place, seed)
    print(f"{first} and up: {rounds} repositories, {paths} paths, {time.monotonic() - begun:.1f} s")


def test_random(trawl_path, sandbox):
    seed = os.environ.get("TRAWL_SEED")
    if seed is None:
        run_rounds(trawl_path, sandbox, rounds_or(120), 1)
    elif seed == "random":
        run_rounds(trawl_path, sandbox, rounds_or(120), by_chance())
    else:
        run_rounds(trawl_path, sandbox, 1, int(seed))


@pytest.mark.soak
def test_random_soak(trawl_path, sandbox):
    run_rounds(trawl_path, sandbox, rounds_or(4000), by_chance())


def test_this_checkout(trawl_path):
    environment = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "LC_ALL": "C"}

    def git(*arguments):
        done = subprocess.run(["git", "-c", f"safe.directory={ROOT}", *arguments], cwd=ROOT, env=environment,
                              capture_output=True, timeout=120)  # fmt: skip
        if done.returncode != 0:
            pytest.skip(f"not a checkout: {done.stderr!r}")
        return set(items(done.stdout))

    for last in (False, False, True):  # somebody may be editing here
        expected = {path for path in git(*ALL) if os.path.lexists(os.path.join(os.fsencode(ROOT), path))}
        expected -= git("ls-files", "-ci", "--exclude-standard", "-z")
        done = subprocess.run([trawl_path, *FIND], cwd=ROOT, env=environment, capture_output=True, timeout=120)
        assert (done.returncode, done.stderr) == (0, b"")
        if set(items(done.stdout)) == expected or last:
            assert set(items(done.stdout)) == expected
            assert len(expected) > 100
            return


def test_a_worktree_and_a_submodule(trawl_path, tmp_path):
    """Made by git's own commands: their .git is a file, the rules that all share are elsewhere."""
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1",
                   "GIT_CONFIG_GLOBAL": "/dev/null"}  # fmt: skip
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always"]

    def git(where, *arguments):
        done = subprocess.run(["git", *identity, *arguments], cwd=tmp_path / where, env=environment, timeout=120,
                              capture_output=True)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    for name in ("inner", "outer"):
        (tmp_path / name).mkdir()
        git(name, "init", "-q")
        (tmp_path / name / ".gitignore").write_text(f"*.{name}\n")
        git(name, "add", ".")
        git(name, "commit", "-q", "-m", "x")
    git("outer", "submodule", "add", "-q", str(tmp_path / "inner"), "sub")
    git("outer", "commit", "-q", "-m", "y")
    git("outer", "worktree", "add", "-q", str(tmp_path / "tree"))
    (tmp_path / "outer/.git/info/exclude").write_text("*.shared\n")
    (tmp_path / "outer/.git/modules/sub/info/exclude").write_text("*.module\n")
    names = ["a.inner", "a.outer", "a.shared", "a.module", "a"]
    for directory in ("outer", "outer/sub", "tree"):
        for name in names:
            (tmp_path / directory / name).touch()

    def listed(where):
        done = subprocess.run([trawl_path, *FIND], cwd=tmp_path / where, env=environment, capture_output=True,
                              timeout=120)  # fmt: skip
        assert (done.returncode, done.stderr) == (0, b"")
        return sorted(items(done.stdout))

    assert listed("tree") == sorted(path for path in items(git("tree", *ALL)) if path != b"sub") == [
        b".gitignore", b".gitmodules", b"a", b"a.inner", b"a.module"]  # fmt: skip
    assert listed("outer/sub") == sorted(items(git("outer/sub", *ALL))) == [
        b".gitignore", b"a", b"a.outer", b"a.shared"]  # fmt: skip
    both = sorted(path for path in items(git("outer", *ALL)) if path != b"sub")
    assert [path for path in listed("outer") if not path.startswith(b"sub/")] == both
    for where in ("tree", "outer", "outer/sub"):
        given = "\0".join([*names, "b/a.shared"]).encode()
        options = ["--stdin", "-z", "-v", "-n", "--no-index"]
        answers = [subprocess.run([*command, *options], cwd=tmp_path / where, env=environment, input=given,
                                  capture_output=True, timeout=120).stdout
                   for command in (["git", "check-ignore"], [trawl_path, "ignored"])]  # fmt: skip
        assert answers[0] == answers[1]
