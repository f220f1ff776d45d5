# SPDX-License-Identifier: Apache-2.0
"""Signals and --timeout end a command also where nobody reads what it prints."""

import fcntl
import os
import signal
import subprocess
import termios
import time

import pytest

# Each prints more than a pipe holds.
COMMANDS = [["du", "-a"], ["du", "-a", "--json"], ["--json", "--top=100000"]]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("tree")
    for i in range(20):
        (root / f"{i}").mkdir()
        for j in range(200):
            (root / f"{i}" / f"{j}{'n' * 40}").touch()
    return root


def is_blocked(process, read_end):
    """Waits until the pipe is full; then nothing changes any more."""
    before = -1
    for _ in range(200):
        time.sleep(0.1)
        now = int.from_bytes(fcntl.ioctl(read_end, termios.FIONREAD, bytes(4)), "little")
        if now == before and now > 30_000:
            return process.poll() is None
        before = now
    return False


@pytest.fixture
def start(trawl_path, tree):
    """Starts a command whose output nobody reads. Returns the process and the end to read from."""
    ends = []
    processes = []

    def start(*arguments, **options):
        read_end, write_end = os.pipe()
        ends.append(read_end)
        options = {name: write_end if target == "pipe" else target for name, target in options.items()}
        process = subprocess.Popen([trawl_path, *arguments, tree],
                                   env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}, **options)
        os.close(write_end)
        processes.append(process)
        return process, read_end

    yield start
    for end in ends:
        os.close(end)
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_signal(start, command, sent):
    process, read_end = start(*command, stdout="pipe", stderr=subprocess.PIPE)
    assert is_blocked(process, read_end)
    process.send_signal(sent)
    _, messages = process.communicate(timeout=10)
    if command[0] == "du":
        assert process.returncode == 128 + sent
        assert b"write error: nobody took the output in time" in messages
    else:
        assert process.returncode == -sent  # the walk is over, and with it good order


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_timeout(start, command):
    process, _ = start(*command, "--threads=1", "--timeout=700ms", stdout="pipe", stderr=subprocess.PIPE)
    _, messages = process.communicate(timeout=10)
    assert process.returncode == 1
    assert b"write error: nobody took the output in time" in messages
    if command[0] == "du":
        assert b"stopped by --timeout: the figures are partial" in messages


@pytest.mark.parametrize("arguments", [["du", "-a"], ["--json", "--top=100000", "--stats"]], ids=" ".join)
def test_both_streams(start, arguments):
    process, read_end = start(*arguments, "--timeout=500ms", stdout="pipe", stderr="pipe")
    assert is_blocked(process, read_end)
    assert process.wait(timeout=10) == 1


def test_a_reader_in_time_gets_everything(start):
    """The deadline passes while nothing is read, but not for long."""
    process, read_end = start("--json", "--top=100000", "--timeout=500ms", stdout="pipe",
                              stderr=subprocess.PIPE)
    assert is_blocked(process, read_end)
    time.sleep(0.3)
    out = b""
    while chunk := os.read(read_end, 4096):
        out += chunk
        time.sleep(0.001)
    assert process.wait(timeout=10) == 0 and out.endswith(b"}\n") and process.stderr.read() == b""
