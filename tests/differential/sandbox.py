# SPDX-License-Identifier: Apache-2.0
"""A place to build trees in: a temporary directory that every user may enter.

As root the process moves into a mount namespace of its own, so that whatever is mounted goes when the
process goes, however it ends. There the directory is mounted without access times, because two tools
that read the same tree must see the same times.
"""

import contextlib
import ctypes
import os
import pathlib
import shutil
import subprocess
import tempfile

NOBODY = 65534

_CLONE_NEWNS = 0x00020000
_MS_REMOUNT, _MS_NOATIME, _MS_BIND, _MS_REC, _MS_PRIVATE = 32, 1024, 4096, 16384, 1 << 18
_MNT_DETACH = 2

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def _mount(source, target, kind=None, flags=0, data=None):
    _check(_libc.mount(source, target, kind, ctypes.c_ulong(flags), data),
           f"mount {os.fsdecode(target)}")


class Unavailable(Exception):
    """This machine has no such filesystem, or may not mount it."""


class Sandbox:
    def __init__(self):
        self.is_root = os.geteuid() == 0
        self.mounts = []
        self._homes = {}
        self.path = os.fsencode(tempfile.mkdtemp(prefix="trawl-test-"))
        os.chmod(self.path, 0o755)
        self.why_no_mounts = self._enter_namespace()

    @property
    def can_mount(self):
        return self.why_no_mounts is None

    def _enter_namespace(self):
        if not self.is_root:
            return "not root"
        try:
            _check(_libc.unshare(_CLONE_NEWNS), "unshare")
            _mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE)
            self.bind(self.path, self.path)
            _mount(None, self.path, None, _MS_REMOUNT | _MS_BIND | _MS_NOATIME)
        except OSError as error:
            return str(error)
        return None

    # --- mounts ------------------------------------------------------------------------------------

    def bind(self, source, target):
        _mount(source, target, None, _MS_BIND)
        self.mounts.append(target)

    def mount(self, kind, target, data=b"", source=b"none"):
        _mount(source, target, kind, _MS_NOATIME, data)
        self.mounts.append(target)

    def unmount(self, target):
        _check(_libc.umount2(target, _MNT_DETACH), f"umount {os.fsdecode(target)}")
        self.mounts.remove(target)

    def unmount_below(self, path):
        for target in [m for m in reversed(self.mounts) if m.startswith(path + b"/")]:
            self.unmount(target)

    # --- filesystems to build trees on -------------------------------------------------------------

    HOMES = ("host", "tmpfs", "ext4", "xfs", "btrfs", "overlay")

    def home(self, kind):
        """A directory on a filesystem of this kind, made at first need."""
        if kind not in self._homes:
            self._homes[kind] = self._make_home(kind)
        return self._homes[kind]

    def mounted_homes(self):
        return [path for kind, path in self._homes.items() if kind != "host"]

    def _make_home(self, kind):
        path = os.path.join(self.path, os.fsencode(kind))
        if kind != "host" and not self.can_mount:
            raise Unavailable(f"cannot mount {kind}: {self.why_no_mounts}")
        os.mkdir(path, 0o755)
        if kind == "tmpfs":
            self.mount(b"tmpfs", path, b"mode=755")
        elif kind == "overlay":
            self._mount_overlay(path)
        elif kind != "host":
            self._mount_image(kind, path)
        return path

    def _mount_overlay(self, path):
        # The lower layer on another filesystem than the upper: device numbers differ within it.
        lower = os.path.join(self.home("tmpfs"), b"lower")
        os.makedirs(os.path.join(lower, b"from-below", b"sub"))
        for name in (b"a", b"from-below/b", b"from-below/sub/c"):
            with open(os.path.join(lower, name), "wb") as file:
                file.write(b"x" * 5000)
        layers = os.path.join(self.path, b"layers")
        for name in (b"upper", b"work"):
            os.makedirs(os.path.join(layers, name))
        try:
            self.mount(b"overlay", path, b"lowerdir=%s,upperdir=%s/upper,workdir=%s/work" %
                       (lower, layers, layers), b"overlay")
        except OSError as error:
            raise Unavailable(str(error)) from error

    def _mount_image(self, kind, path):
        features = ["-O", "^dir_index"] if kind == "ext4-linear" else []
        kind = kind.removesuffix("-linear")
        mkfs = shutil.which(f"mkfs.{kind}", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if mkfs is None:
            raise Unavailable(f"mkfs.{kind} is not installed")
        image = path + b".image"
        with open(image, "wb") as file:
            file.truncate({"ext4": 512, "xfs": 2048, "btrfs": 512}[kind] << 20)  # sparse
        quiet = {"ext4": ["-q", "-F", "-N", "400000"], "xfs": ["-q"], "btrfs": ["-q"]}[kind]
        for command in ([mkfs, *quiet, *features, image], ["mount", "-o", "loop,noatime", image, path]):
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
            if done.returncode != 0:
                raise Unavailable(f"{kind}: {os.fsdecode(done.stderr).strip()}")
        self.mounts.append(path)
        os.chmod(path, 0o755)
        if kind == "btrfs" and shutil.which("btrfs"):
            subprocess.run(["btrfs", "subvolume", "create", path + b"/subvolume"], check=True,
                           stdout=subprocess.DEVNULL, timeout=60)

    @contextlib.contextmanager
    def directory(self, name):
        """A new directory for one test, as pathlib.Path, removed after it with all that is in it."""
        path = pathlib.Path(os.fsdecode(self.home("host"))) / name
        path.mkdir()
        try:
            yield path
        finally:
            self.remove(os.fsencode(path))

    # --- removal -----------------------------------------------------------------------------------

    def remove(self, path):
        """Removes a tree of any depth, with what is mounted in it."""
        self.unmount_below(path)
        if not self.is_root:
            subprocess.run(["chmod", "-R", "u+rwX", path], stderr=subprocess.DEVNULL, timeout=300)
        subprocess.run(["rm", "-rf", "--one-file-system", path], check=True, timeout=300)

    def close(self):
        for target in reversed(list(self.mounts)):
            self.unmount(target)
        self.remove(self.path)
