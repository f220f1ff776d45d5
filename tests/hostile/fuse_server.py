# SPDX-License-Identifier: Apache-2.0
"""A FUSE filesystem without a library, so that it may say whatever the kernel lets through.

It speaks the kernel's protocol on /dev/fuse in a process of its own. A tree is made of Nodes; hooks
decide when it lies, stalls or dies:
    with mounted(sandbox, path, root, Behaviour()): …
A server that has taken a request and never answers can't be tested: the kernel lets nobody who waits
for it go, not even to be killed.
"""

import contextlib
import errno
import os
import signal
import stat
import struct

DT_UNKNOWN = 0

_INIT, _DESTROY, _LOOKUP, _FORGET, _GETATTR, _READLINK = 26, 38, 1, 2, 3, 5
_OPENDIR, _READDIR, _RELEASEDIR, _BATCH_FORGET, _STATFS, _INTERRUPT = 27, 28, 29, 42, 17, 36


def why_unavailable(sandbox):
    if not sandbox.can_mount:
        return f"FUSE needs a mount: {sandbox.why_no_mounts}"
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as error:
        return f"no FUSE: {error}"
    return None


class Node:
    """A file, or with `children` (a dict of names to Nodes) a directory, or with `target` a symbolic link."""

    def __init__(self, children=None, size=0, ino=None, mode=None, links=1, target=None):
        self.children = children
        self.target = target
        self.size = size
        self.ino = ino
        self.links = links
        kind = stat.S_IFLNK | 0o777 if target else stat.S_IFREG | 0o644 if children is None else stat.S_IFDIR | 0o755
        self.mode = kind if mode is None else mode

    def child(self, name):
        return self.children.get(name)

    def names(self):
        return list(self.children)


def tree(depth, directories, files, size=5000):
    """An even tree."""
    children = {b"f%d" % i: Node(size=size) for i in range(files)}
    if depth > 0:
        children.update({b"d%d" % i: tree(depth - 1, directories, files, size) for i in range(directories)})
    return Node(children)


class Behaviour:
    """What a well-behaved filesystem does; tests override. Each hook may raise OSError, sleep or exit."""

    def on_request(self, opcode, count):
        """Before every request."""

    def answers(self, opcode, node, body):
        """False: who asks waits until the server ends."""
        return True

    def entries(self, node):
        """The listing: (name, Node or None, d_type, d_off of the next)."""
        for index, name in enumerate(node.names()):
            child = node.child(name)
            yield name, child, child.mode >> 12, index + 1

    def read_directory(self, server, node, offset, size):
        """The bytes of one READDIR reply from this offset."""
        out = b""
        begun = offset == 0
        for name, child, kind, following in self.entries(node):
            if begun:
                ino = server.ino(child) if child is not None else 1
                record = struct.pack("<QQII", ino, following, len(name), kind) + name
                record += bytes(-len(record) % 8)
                if len(out) + len(record) > size:
                    break
                out += record
            elif following == offset:
                begun = True
        return out


class Server:
    def __init__(self, fd, root, behaviour):
        self.fd = fd
        self.behaviour = behaviour
        self.nodes = {1: root}
        self.ids = {id(root): 1}
        self.inos = {}
        self.count = 0

    def node_id(self, node):
        if id(node) not in self.ids:
            self.ids[id(node)] = len(self.nodes) + 1
            self.nodes[len(self.nodes) + 1] = node
        return self.ids[id(node)]

    def ino(self, node):
        return node.ino if node.ino is not None else self.node_id(node)

    def attributes(self, node):
        directory = node.children is not None
        return struct.pack(
            "<QQQQQQIIIIIIIIII", self.ino(node), node.size, (node.size + 511) // 512, *(1_700_000_000,) * 3, *(0,) * 3,
            node.mode, 2 if directory else node.links, 0, 0, 0, 4096, 0,
        )  # fmt: skip

    def answer(self, opcode, node_id, body):
        node = self.nodes.get(node_id)
        if opcode == _INIT:
            return struct.pack("<IIIIHHIIHH8I", 7, 31, 1 << 17, 0, 64, 48, 1 << 17, 1, 32, 0, *(0,) * 8)
        if opcode == _LOOKUP:
            child = node.child(body.rstrip(b"\0"))
            if child is None:
                raise OSError(errno.ENOENT, "")
            return struct.pack("<QQQQII", self.node_id(child), 0, 0, 0, 0, 0) + self.attributes(child)
        if opcode == _GETATTR:
            return struct.pack("<QII", 0, 0, 0) + self.attributes(node)
        if opcode == _READLINK and node.target:
            return node.target
        if opcode == _OPENDIR:
            return struct.pack("<QII", 0, 0, 0)
        if opcode == _READDIR:
            _, offset, size = struct.unpack_from("<QQI", body)
            return self.behaviour.read_directory(self, node, offset, size)
        if opcode == _RELEASEDIR:
            return b""
        if opcode == _STATFS:
            return struct.pack("<5Q4I6I", 1000, 500, 500, 1000, 500, 4096, 255, 4096, 0, *(0,) * 6)
        raise OSError(errno.ENOSYS, "")

    def serve(self):
        while True:
            try:
                request = os.read(self.fd, 1 << 18)
            except OSError as error:
                if error.errno in (errno.EINTR, errno.ENOENT):
                    continue
                return  # unmounted
            _, opcode, unique, node_id = struct.unpack_from("<IIQQ", request)
            if opcode in (_FORGET, _BATCH_FORGET, _INTERRUPT):
                continue
            if opcode == _DESTROY:
                return
            self.count += 1
            error, reply = 0, b""
            try:
                if opcode != _INIT:
                    self.behaviour.on_request(opcode, self.count)
                if not self.behaviour.answers(opcode, self.nodes.get(node_id), request[40:]):
                    continue
                reply = self.answer(opcode, node_id, request[40:])
            except OSError as failure:
                error = failure.errno
            try:
                os.write(self.fd, struct.pack("<IiQ", 16 + len(reply), -error, unique) + reply)
            except OSError:
                pass  # the asker is gone


@contextlib.contextmanager
def mounted(sandbox, path, root, behaviour):
    os.makedirs(path, exist_ok=True)
    fd = os.open("/dev/fuse", os.O_RDWR)
    sandbox.mount(b"fuse.trawl-test", path, b"fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other" % fd, b"trawl-test")
    server = os.fork()
    if server == 0:
        status = 1
        try:
            signal.alarm(300)  # in no case for ever
            Server(fd, root, behaviour).serve()
            status = 0
        finally:
            os._exit(status)
    os.close(fd)
    try:
        yield
    finally:
        # First the server: then whoever waits for an answer gets an error, and unmounting can't stall.
        os.kill(server, signal.SIGKILL)
        os.waitpid(server, 0)
        sandbox.unmount(path)

