# SPDX-License-Identifier: Apache-2.0
"""Random trees from a seed: everything that a filesystem may hold and a walker may stumble over.

A tree is `top` with one to three roots in it. Names are bytes; paths kept here are relative to `top`.
Permissions are taken away and times are set last, so that building is not in its own way.
"""

import os
import stat
import subprocess

from differential.sandbox import NOBODY

ODD_NAMES = [
    b"new\nline", b"\n", b"tab\there", b"back\\slash", b"\\", b"trailing\\", b"quote'", b'double"', b"`tick`",
    b"$HOME", b"a b", b" lead", b"trail ", b"-", b"--", b"-a", b"--max-depth=0", b"-\n", b"*", b"?", b"[ab]",
    b"[", b"]", b"{x,y}", b"~", b"#x", b"!x", b"a=b", b"x:y", b"x;y", b"x&y", b"x|y", b"(x)", b"<x>", b"...",
    b"..a", b".hidden", b"caf\xc3\xa9", b"cafe\xcc\x81", b"\xe6\xbc\xa2\xe5\xad\x97", b"\xf0\x9f\x98\x80",
    b"\xff", b"\xfe\xff", b"a\xffb", b"\xc3", b"\xc3(", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf",
    b"\xe2\x80\x8b", b"\xe2\x80\xae", b"\xc2\x85", b"\xc2\xa0", b"\xef\xbf\xbe", b"\xf3\xa0\x80\x81", b"\r",
    b"\x01", b"\x1b[31m", b"\x7f", b"\a\b\v\f", b"\xe2\x80\xa8", b"%s%n", b"total", b"0", b"A", b"a", b"\xcc\x81",
    b"a'b\"c", b"'\n'", b"x" * 255, b"\xff" * 255, b"\xe2\x82\xac" * 85, b"y" * 200,
]  # fmt: skip

PLAIN = b"abcdefghijklmnopqrstuvwxyz0123456789._-"

SECOND = 10**9
ODD_TIMES = [
    0, -1, 1, -SECOND, -SECOND - 1, -1_000_000_001, 999_999_999, 2**31 * SECOND, (2**31 - 1) * SECOND,
    -(2**31) * SECOND, 2**32 * SECOND + 5, 15_032_385_535 * SECOND, 1_700_000_000 * SECOND + 123_456_789,
    253_402_300_800 * SECOND, -62_135_596_801 * SECOND, 4_000_000_000 * SECOND + 1,
]  # fmt: skip

# Modes that take something from those who are not the owner.
ODD_MODES = [0o000, 0o111, 0o444, 0o333, 0o711, 0o744, 0o700]


def fill(path, size=5000):
    """A file of so many bytes at this pathlib.Path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)


def mode_of(path):
    return os.lstat(path).st_mode


class Tree:
    def __init__(self, rng, top, sandbox):
        self.rng = rng
        self.top = top
        self.sandbox = sandbox
        self.roots = []
        self.directories = []  # that may get entries
        self.files = []  # everything that is no directory
        self.directory_links = 0
        self.beyond_path_max = False
        self.mount_points = []

    # --- shape -------------------------------------------------------------------------------------

    def build(self):
        rng = self.rng
        os.mkdir(self.top, 0o755)
        budget = rng.choice([0, 1, 5, 20, 60, 120, 250, 400])
        self.max_depth = rng.choice([1, 2, 4, 8, 25])
        self.fan_out = rng.choice([1, 2, 4, 8, 40])
        self.odd_names = rng.choice([0.0, 0.1, 0.4, 0.9])
        for _ in range(rng.choice([1, 1, 2, 3])):
            root = self._make_directory(b"", rng.choice([b"r", b"root", None]))
            if root is not None:
                self.roots.append(root)
                self.directories.append(root)
        self._fill(budget)
        if rng.random() < 0.15:
            self._deep_chain()
        if rng.random() < 0.6:
            self._hard_links()
        if rng.random() < 0.6:
            self._symbolic_links()
        if self.sandbox.can_mount and rng.random() < 0.25:
            self._mounts()
        if rng.random() < 0.5:
            self._times()
        if rng.random() < 0.35:
            self._modes()
        return self

    def path(self, relative):
        return os.path.join(self.top, relative)

    def _name(self):
        if self.rng.random() < self.odd_names:
            return self.rng.choice(ODD_NAMES)
        return bytes(self.rng.choices(PLAIN, k=self.rng.choice([1, 2, 3, 8]))).strip(b".") or b"n"

    def _join(self, parent, name):
        path = os.path.join(parent, name)
        # Below PATH_MAX with room for the sandbox's own; longer ones are _deep_chain's.
        return path if len(path) < 3000 else None

    def _make_directory(self, parent, name=None):
        path = self._join(parent, name or self._name())
        if path is None:
            return None
        try:
            os.mkdir(self.path(path), 0o755)
        except FileExistsError:
            return None
        return path

    def _fill(self, budget):
        rng = self.rng
        level = {root: 0 for root in self.roots}
        for _ in range(budget):
            if not self.directories:
                return
            parent = rng.choice(self.directories[-self.fan_out :])
            if level.get(parent, 0) < self.max_depth and rng.random() < 0.35:
                path = self._make_directory(parent)
                if path is not None:
                    level[path] = level[parent] + 1
                    self.directories.append(path)
            else:
                self._make_file(parent)

    def _deep_chain(self):
        """Directories whose path is longer than PATH_MAX."""
        self.beyond_path_max = True
        rng = self.rng
        name = rng.choice([b"d" * 200, b"\xff" * 255, b"e" * 100])
        at = os.open(self.path(rng.choice(self.directories)), os.O_DIRECTORY)
        for _ in range(rng.choice([5, 25, 30])):
            try:
                os.mkdir(name, 0o755, dir_fd=at)
            except FileExistsError:
                pass
            below = os.open(name, os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = below
            if rng.random() < 0.3:
                file = os.open(b"file", os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=at)
                os.write(file, b"x" * rng.choice([0, 1, 5000]))
                os.close(file)
        os.close(at)

    # --- files -------------------------------------------------------------------------------------

    def _make_file(self, parent):
        rng = self.rng
        path = self._join(parent, self._name())
        if path is None or os.path.lexists(self.path(path)):
            return
        kind = rng.choices(
            ["empty", "small", "sparse", "big", "fifo", "socket", "device"], [4, 10, 2, 1, 0.5, 0.5, 0.5]
        )[0]
        full = self.path(path)
        if kind in ("fifo", "socket", "device"):
            if kind == "device" and not self.sandbox.is_root:
                return
            bits = {"fifo": stat.S_IFIFO, "socket": stat.S_IFSOCK, "device": stat.S_IFCHR}[kind]
            os.mknod(full, bits | 0o644, os.makedev(1, 3))
        else:
            file = os.open(full, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
            try:
                self._fill_file(file, kind)
            finally:
                os.close(file)
        self.files.append(path)

    def _fill_file(self, file, kind):
        rng = self.rng
        if kind == "small":
            os.write(file, b"x" * rng.choice([1, 100, 511, 512, 513, 4095, 4096, 4097, 20_000]))
        elif kind == "big":
            os.posix_fallocate(file, 0, rng.choice([1 << 20, 3_000_000]))
        elif kind == "sparse":
            size = rng.choice([1 << 20, 5_000_000_000, 1 << 40, 2**43 + 1, 2**63 - 4096, 2**63 - 1])
            while True:
                try:
                    os.truncate(file, size)
                    break
                except OSError:  # more than this filesystem takes
                    size //= 16
            if rng.random() < 0.5:
                os.pwrite(file, b"x" * 5000, rng.choice([0, size // 2]))

    def _hard_links(self):
        rng = self.rng
        for _ in range(rng.choice([1, 3, 10, 30])):
            if not self.files:
                return
            path = self._join(rng.choice(self.directories), self._name())
            if path is None:
                continue
            try:
                os.link(self.path(rng.choice(self.files)), self.path(path), follow_symlinks=False)
            except OSError:
                continue  # the name is taken, or the other filesystem of an overlay
            self.files.append(path)

    # --- symbolic links ----------------------------------------------------------------------------

    # -L -l takes every path: with mutual links the number of those grows with their factorial.
    MAX_DIRECTORY_LINKS = 4

    def _symbolic_links(self):
        rng = self.rng
        for _ in range(rng.choice([1, 3, 8])):
            parent = rng.choice(self.directories)
            kind = rng.choice(["file", "directory", "dangling", "self", "parent", "mutual", "absolute"])
            path = self._join(parent, self._name())
            if path is None:
                continue
            if kind in ("directory", "parent", "absolute"):
                if self.directory_links >= self.MAX_DIRECTORY_LINKS:
                    continue
                self.directory_links += 1
            up = b"../" * parent.count(b"/")
            target = {
                "file": lambda: up + b"../" + rng.choice(self.files or [b"nothing"]),
                "directory": lambda: up + b"../" + rng.choice(self.directories),
                "dangling": lambda: rng.choice([b"nowhere", b"/nonexistent/x", b"\xff\n", b"x" * 255]),
                "self": lambda: os.path.basename(path),
                "parent": lambda: rng.choice([b".", b"..", up or b"."]),
                "mutual": lambda: os.path.basename(path) + b"2",
                "absolute": lambda: self.path(rng.choice(self.directories)),
            }[kind]()
            try:
                os.symlink(target, self.path(path))
                self.files.append(path)
                if kind == "mutual":
                    os.symlink(os.path.basename(path), self.path(path) + b"2")
                    self.files.append(path + b"2")
            except OSError:
                continue  # the name is taken, or too long with a 2

    # --- mounts ------------------------------------------------------------------------------------

    def _mounts(self):
        rng = self.rng
        for _ in range(rng.choice([1, 2, 3])):
            kind = rng.choice(["directory", "ancestor", "file", "tmpfs", "other"])
            directory = rng.choice(self.directories)
            target = self._make_directory(directory)
            if target is None:
                continue
            full = self.path(target)
            try:
                if kind == "directory":
                    self.sandbox.bind(self.path(rng.choice(self.directories)), full)
                elif kind == "ancestor":
                    self.sandbox.bind(self.path(directory), full)
                elif kind == "file" and len(self.files) > 1:
                    source, over = rng.sample([self.path(f) for f in self.files], 2)
                    if not stat.S_ISREG(mode_of(source)) or not stat.S_ISREG(mode_of(over)):
                        continue
                    self.sandbox.bind(source, over)
                elif kind == "tmpfs":
                    self.sandbox.mount(b"tmpfs", full, b"mode=755")
                    os.mkdir(os.path.join(full, b"in-tmpfs"))
                    with open(os.path.join(full, b"in-tmpfs", b"file"), "wb") as file:
                        file.write(b"x" * 10_000)
                elif kind == "other" and self.sandbox.mounted_homes():
                    self.sandbox.bind(rng.choice(self.sandbox.mounted_homes()), full)
                else:
                    continue
            except OSError:
                continue  # the source lies below PATH_MAX no more, or vanished below another mount
            self.mount_points.append(target)
            if kind != "other":  # not ours to change
                self.directories.append(target)

    # --- what is set last --------------------------------------------------------------------------

    def _times(self):
        rng = self.rng
        paths = self.files + self.directories
        directories = set(self.directories)
        for path in rng.sample(paths, min(len(paths), 20)):
            times = (rng.choice(ODD_TIMES), rng.choice(ODD_TIMES))
            if path in directories:
                # GNU du counts from the epoch in the directories that it ends first; see the cases.
                times = tuple(abs(time) for time in times)
            try:
                os.utime(self.path(path), ns=times, follow_symlinks=False)
            except OSError:
                pass  # out of this filesystem's range, or hidden below a mount

    def _modes(self):
        rng = self.rng
        paths = self.directories[1:] + self.files
        for path in rng.sample(paths, min(len(paths), rng.choice([1, 2, 5]))):
            full = self.path(path)
            try:
                if not stat.S_ISLNK(mode_of(full)):
                    os.chmod(full, rng.choice(ODD_MODES))
                if self.sandbox.is_root and rng.random() < 0.2:
                    os.chown(full, NOBODY, NOBODY, follow_symlinks=False)
            except OSError:
                pass

    def remove(self):
        self.sandbox.remove(self.top)


def listing(top):
    """For people: what is in a tree."""
    return os.fsdecode(subprocess.run(["find", top, "-ls"], capture_output=True, timeout=60).stdout)
