# SPDX-License-Identifier: Apache-2.0
"""Runs GNU du and trawl alike and compares all that can be seen of them.

What is compared: status, stdout, stderr; or status and both streams joined in one pipe, which shows
their order. Run by the name `du` the two must not differ in one byte; run as `trawl du` the program's
name is replaced in messages first.
"""

import dataclasses
import os
import re
import resource
import shlex
import shutil
import subprocess

from differential.sandbox import NOBODY

ORACLE = "/usr/bin/du"
THREADS = (1, 2, 16, 64)
TIMEOUT = 60

# What a test does not set itself must not come from outside.
CLEAN = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC0"}


@dataclasses.dataclass
class Invocation:
    args: list
    cwd: bytes = b"/"
    env: dict = dataclasses.field(default_factory=dict)
    stdin: bytes = b""
    user: int | None = None  # None: who we are
    limits: dict = dataclasses.field(default_factory=dict)  # resource.RLIMIT_… to a number
    timeout: float = TIMEOUT

    def __str__(self):
        words = [f"{name}={value}" for name, value in self.env.items()]
        words += ["du", *map(os.fsdecode, self.args)]
        text = f"cd {shlex.quote(os.fsdecode(self.cwd))} && {shlex.join(words)}"
        if self.user is not None:
            text += f"  # as user {self.user}"
        if self.stdin:
            text += f"  # stdin: {self.stdin!r}"
        return text.encode("utf-8", "backslashreplace").decode()


@dataclasses.dataclass
class Outcome:
    status: int
    out: bytes
    err: bytes = b""


def run(executable, argv, invocation, merged):
    def prepare():
        for limit, value in invocation.limits.items():
            resource.setrlimit(limit, (value, value))

    user = {}
    if invocation.user is not None and os.geteuid() == 0:
        user = {"user": invocation.user, "group": invocation.user, "extra_groups": []}
    done = subprocess.run(
        argv,
        executable=executable,
        cwd=invocation.cwd,
        env=CLEAN | invocation.env,
        input=invocation.stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merged else subprocess.PIPE,
        timeout=invocation.timeout,
        preexec_fn=prepare if invocation.limits else None,
        **user,
    )
    return Outcome(done.returncode, done.stdout, done.stderr or b"")


def as_du(messages):
    """Messages of `trawl du` as `du` would put them."""
    messages = re.sub(rb"^trawl du: ", b"du: ", messages, flags=re.MULTILINE)
    return messages.replace(b"'trawl du --help'", b"'du --help'").replace(
        b"\xe2\x80\x98trawl du --help\xe2\x80\x99", b"\xe2\x80\x98du --help\xe2\x80\x99"
    )


def shortened(line, limit=400):
    return repr(line) if len(line) <= limit else f"{line[: limit // 2]!r} … {line[-limit // 2 :]!r}"


def difference(expected, actual, limit=12):
    """The first lines that differ, for people."""
    old, new = (data.splitlines(keepends=True) for data in (expected, actual))
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    text = [f"  (the first {start} lines are equal; {len(old)} and {len(new)} in all)"]
    text += [f"  - {shortened(line)}" for line in old[start : start + limit]]
    text += [f"  + {shortened(line)}" for line in new[start : start + limit]]
    return "\n".join(text)


class Tools:
    """The two programs. `box` gives a directory that every user may enter."""

    def __init__(self, trawl, box, oracle=ORACLE):
        self.oracle = oracle
        # A copy, because other users may not be able to reach the build directory.
        directory = os.path.join(os.fsdecode(box.path), "bin")
        os.makedirs(directory, exist_ok=True)
        self.trawl = os.path.join(directory, "trawl")
        self.du = os.path.join(directory, "du")
        if not os.path.exists(self.trawl):
            shutil.copy(trawl, self.trawl)
            os.symlink("trawl", self.du)

    def gnu(self, invocation, merged=False):
        return run(self.oracle, ["du", *invocation.args], invocation, merged)

    def ours(self, invocation, threads=None, merged=False, linked=True):
        options = [] if threads is None else [f"--threads={threads}"]
        if linked:
            return run(self.du, ["du", *options, *invocation.args], invocation, merged)
        outcome = run(self.trawl, ["trawl", "du", *options, *invocation.args], invocation, merged)
        return Outcome(outcome.status, outcome.out, as_du(outcome.err))

    def check(self, invocation, threads=THREADS):
        """Both kinds of output, by both names, for every number of threads. Returns GNU's outcome."""
        apart = self.gnu(invocation)
        joined = self.gnu(invocation, merged=True)
        for count in threads:
            self.expect(invocation, joined, self.ours(invocation, count, merged=True), count, True)
            self.expect(invocation, apart, self.ours(invocation, count, linked=False), count, False)
        return apart

    def check_quickly(self, invocation, threads=THREADS):
        """The same in half the time: each number of threads with one kind of output."""
        apart = self.gnu(invocation)
        joined = self.gnu(invocation, merged=True)
        for index, count in enumerate(threads):
            if index % 2 == 0:
                self.expect(invocation, joined, self.ours(invocation, count, merged=True), count, True)
            else:
                self.expect(invocation, apart, self.ours(invocation, count, linked=index % 4 == 1), count, False)
        return apart

    def expect(self, invocation, expected, actual, threads, merged):
        if actual != expected:
            # Now and then GNU du itself changes its mind (it reads the mount table, for one).
            expected = self.gnu(invocation, merged)
        wrong = [
            f"{what}:\n{difference(a, b)}"
            for what, a, b in (("stdout", expected.out, actual.out), ("stderr", expected.err, actual.err))
            if a != b
        ]
        if expected.status != actual.status:
            wrong.insert(0, f"status {actual.status} instead of {expected.status}")
        if wrong:
            raise AssertionError(f"--threads={threads} differs from GNU du\n{invocation}\n" + "\n".join(wrong))


def everyone(box):
    """Users to run as: whoever we are, and as root also somebody who may not read everything."""
    return (None, NOBODY) if box.is_root else (None,)
