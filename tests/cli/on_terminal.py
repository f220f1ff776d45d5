# SPDX-License-Identifier: Apache-2.0
"""Runs a command whose standard output and error are one terminal."""

import fcntl
import os
import pty
import struct
import termios


def on_terminal(arguments, environment, size=None):
    """What it wrote, and its exit status. `size`: rows and columns, else the system's default."""
    pid, fd = pty.fork()
    if pid == 0:
        if size is not None:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        os.execve(arguments[0], arguments, environment)
    out = b""
    try:
        while chunk := os.read(fd, 65536):
            out += chunk
    except OSError:
        pass  # the other end is closed
    os.close(fd)
    return out, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
