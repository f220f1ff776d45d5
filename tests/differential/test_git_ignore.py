# SPDX-License-Identifier: Apache-2.0
"""`trawl ignored` against `git check-ignore`, byte for byte, in random repositories.

A seed is a number; it decides the repository and all that is asked. They count from 1;
TRAWL_SEED=random (and the soak) begin anywhere. To repeat one:
    TRAWL_SEED=1234 pytest tests/differential/test_git_ignore.py
TRAWL_ROUNDS is the number of repositories (default 150); ./dev soak takes 5000.

Not asked here, because it is meant to differ (docs/ignore.md): wildcards and magic in paths.
"""

import os
import random
import subprocess
import time

import pytest

from differential.git import WILD, Repository, quoted

VERDICTS = 600  # of one run; a repository has RUNS
RUNS = 3


class Question:
    """Options, a current directory and paths."""

    def __init__(self, rng, repository, tracked):
        self.rng = rng
        self.repository = repository
        self.null = rng.random() < 0.6
        self.use_index = tracked and rng.random() < 0.6
        self.options = ["--stdin"]
        verbose = rng.random()
        if verbose < 0.85:
            self.options.append("-v")
        if verbose < 0.7:
            self.options.append("-n")
        if self.null:
            self.options.append("-z")
        if not self.use_index:
            self.options.append("--no-index")
        self.cwd = rng.choice(repository.directories) if rng.random() < 0.3 else b""
        self.paths = [path for path in (self.path() for _ in range(VERDICTS)) if path is not None]
        if rng.random() < 0.15:
            self.paths.append(self.refused())
            self.paths.append(b"a")

    def path(self):
        rng = self.rng
        repository = self.repository
        path = repository.some_path()
        if path == b"" or repository.beyond_link(path):
            return None
        spelled = path
        r = rng.random()
        if r < 0.08:
            spelled = self.detour(spelled)
        r = rng.random()
        if r < 0.07 and not repository.has_empty_rules:
            spelled += rng.choice([b"/", b"/.", b"//"])
            if os.path.islink(repository.path(path)):
                return None
        r = rng.random()
        if self.cwd and r < 0.4:
            spelled = os.path.join(b"../" * (self.cwd.count(b"/") + 1), spelled)
        elif r < 0.5:
            spelled = os.path.join(repository.top, spelled)
        elif self.cwd and repository.beyond_link(os.path.normpath(self.cwd + b"/" + spelled)):
            return None
        if spelled.startswith(b":"):
            spelled = b"./" + spelled
        # Wildcards stand for tracked paths.
        if self.use_index and WILD & set(spelled):
            return None
        return spelled

    def detour(self, path):
        rng = self.rng
        parts = path.split(b"/")
        parts.insert(rng.randrange(len(parts)), rng.choice([b".", b"", b"nowhere/..", b"./."]))
        return b"/".join(parts).lstrip(b"/")

    def refused(self):
        rng = self.rng
        choices = [b"", b"../" * 30 + b"a", b"/", self.repository.home]
        choices += [link + b"/x" for link in self.repository.links]
        return rng.choice(choices)

    def input(self):
        if self.null:
            return b"".join(path + b"\0" for path in self.paths)
        return b"".join(
            (quoted(path) if b"\n" in path or path.startswith(b'"') or self.rng.random() < 0.1 else path) + b"\n"
            for path in self.paths
        )


def records(output, question):
    end = b"\0" if question.null else b"\n"
    fields = output.split(end)
    if not question.null:
        return fields
    size = 4 if "-v" in question.options else 1
    return [b"\0".join(fields[i : i + size]) for i in range(0, len(fields), size)]


def first_difference(question, ours, git):
    for i, (one, other) in enumerate(zip(records(ours, question), records(git, question))):
        if one != other:
            return f"answer {i}:\ntrawl {one!r}\ngit   {other!r}"
    return "one has more answers"


def run(command, question, given):
    repository = question.repository
    return subprocess.run([*command, *question.options], input=given, cwd=repository.path(question.cwd),
                          env=repository.environment, capture_output=True, timeout=120)  # fmt: skip


def run_seed(trawl, place, seed):
    """Returns the number of verdicts."""
    rng = random.Random(seed)
    os.makedirs(place, exist_ok=True)
    repository = Repository(rng, os.path.join(place, b"top"), os.path.join(place, b"home"), rng.random() < 0.1)
    done = 0
    try:
        repository.build()
        tracked = rng.random() < 0.5
        if tracked:
            repository.track()
        for _ in range(RUNS):
            question = Question(rng, repository, tracked)
            given = question.input()
            git = run(["git", "check-ignore"], question, given)
            ours = run([trawl, "ignored"], question, given)
            if (git.returncode, git.stdout) != (ours.returncode, ours.stdout) or bool(git.stderr) != bool(ours.stderr):
                raise AssertionError(
                    f"TRAWL_SEED={seed}\n{question.options} in {question.cwd!r}\n"
                    f"status: trawl {ours.returncode}, git {git.returncode}\n{ours.stderr!r}\n{git.stderr!r}\n"
                    + first_difference(question, ours.stdout, git.stdout)
                    + "\n" + listing(repository)
                )  # fmt: skip
            done += len(question.paths)
    finally:
        if not os.environ.get("TRAWL_KEEP"):
            repository.remove()
    return done


def listing(repository):
    """Paths, and the rules."""
    out = []
    for directory, names, files in os.walk(repository.top):
        if b".git" in names:
            names.remove(b".git")
        for name in names + files:
            path = os.path.join(directory, name)
            text = f": {open(path, 'rb').read()!r}" if name == b".gitignore" and os.path.isfile(path) else ""
            kind = "@" if os.path.islink(path) else "/" if os.path.isdir(path) else ""
            out.append(f"{os.path.relpath(path, repository.top)!r}{kind}{text}")
    others = [repository.path(b".git/info/exclude"), repository.path(b".git/config")]
    others.append(os.path.join(repository.home, b"config"))
    for path in [*others, repository.global_rules]:
        if path is not None and os.path.exists(path):
            out.append(f"{path!r}: {open(path, 'rb').read()!r}")
    return "\n".join(out)[:20000]


def run_rounds(trawl, sandbox, rounds, first):
    place = os.path.join(sandbox.home("tmpfs" if sandbox.can_mount else "host"), b"git-ignore")
    begun = time.monotonic()
    verdicts = sum(run_seed(trawl, place, first + i) for i in range(rounds))
    print(f"{first} and up: {rounds} repositories, {verdicts} verdicts, {time.monotonic() - begun:.1f} s")
    return verdicts


def by_chance():
    return random.SystemRandom().randrange(10**9)


def rounds_or(default):
    return int(os.environ.get("TRAWL_ROUNDS", default))


def test_random(trawl_path, sandbox):
    seed = os.environ.get("TRAWL_SEED")
    if seed is None:
        verdicts = run_rounds(trawl_path, sandbox, rounds_or(150), 1)
        assert verdicts >= 200_000 or "TRAWL_ROUNDS" in os.environ
    elif seed == "random":
        run_rounds(trawl_path, sandbox, rounds_or(150), by_chance())
    else:
        run_rounds(trawl_path, sandbox, 1, int(seed))


@pytest.mark.soak
def test_random_soak(trawl_path, sandbox):
    run_rounds(trawl_path, sandbox, rounds_or(5000), by_chance())
