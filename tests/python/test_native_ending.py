# SPDX-License-Identifier: Apache-2.0
# labels: sanitize
"""How walks of trawl._native end: by exceptions, tokens, signals, forks, the interpreter's exit; and that
nothing is left of them."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import weakref

import pytest

native = pytest.importorskip("trawl._native")

SANITIZED = "libasan" in os.environ.get("LD_PRELOAD", "")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = os.fsencode(tmp_path_factory.mktemp("ending"))
    for i in range(30):
        os.mkdir(root + b"/%d" % i)
        for j in range(30):
            open(root + b"/%d/%d" % (i, j), "wb").close()
    return root


def drain(stream):
    while stream.next() is not None:
        pass


def forever(path):
    """A filter that makes a walk take long, on however many workers."""
    time.sleep(0.01)
    return False


CALLS = {
    "scan_table": lambda root, **options: native.scan_table([root], **options),
    "list_table": lambda root, **options: native.list_table(root, **options),
    "usage": lambda root, **options: native.usage([root], **options),
    "TableStream": lambda root, **options: drain(native.TableStream([root], **options)),
    "WalkStream": lambda root, **options: drain(native.WalkStream(root, **options)),
}
if hasattr(native, "profile"):
    CALLS["profile"] = native.profile
WAITING = [name for name in CALLS if not name.endswith("Stream")]  # have `poll` and `cancel`


def tasks():
    return set(os.listdir("/proc/self/task"))


@pytest.fixture(autouse=True)
def nothing_left():
    descriptors, before = os.listdir("/proc/self/fd"), tasks()
    yield
    gc.collect()
    for _ in range(200):  # a thread that was joined is seen there a little longer
        if tasks() <= before:
            break
        time.sleep(0.01)
    assert tasks() <= before
    assert os.listdir("/proc/self/fd") == descriptors


def in_thread(work):
    """What `work` returns or raises on a thread that is not the main one."""
    outcome = []

    def run():
        try:
            outcome.append((work(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    value, error = outcome[0]
    if error is not None:
        raise error
    return value


def here(work):
    return work()


# --- exceptions and tokens -------------------------------------------------------------------------


@pytest.mark.parametrize("where", (here, in_thread))
@pytest.mark.parametrize("threads", (0, 1, 16))
@pytest.mark.parametrize("name", CALLS)
def test_filter_raises(tree, name, threads, where):
    error = LookupError("of the filter")
    calls = []

    def custom(path):
        calls.append(path)
        if len(calls) > 100:
            raise error
        return False

    with pytest.raises(LookupError) as caught:
        where(lambda: CALLS[name](tree, filter=native.PathFilter(custom=custom), threads=threads))
    assert caught.value is error
    assert any(entry.name == "custom" for entry in caught.traceback)
    assert len(calls) < 500


def test_filter_gives_nonsense(tree):
    class Nonsense:
        def __bool__(self):
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        native.scan_table([tree], filter=native.PathFilter(custom=lambda path: Nonsense()))
    with pytest.raises(TypeError):
        native.scan_table([tree], filter=native.PathFilter(custom=lambda: False))
    with pytest.raises(ArithmeticError):
        native.PathFilter(custom=lambda path: Nonsense()).match(b"x", False)


def test_filter_may_recurse(tree):
    def recurse():
        return sorted([0], key=lambda _: recurse())  # through C, which takes stack

    def custom(path):
        with pytest.raises(RecursionError):
            recurse()
        seen.add(threading.get_ident())
        return False

    seen = set()
    assert len(native.scan_table([tree], filter=native.PathFilter(custom=custom), threads=4, max_depth=1)) == 31
    native.scan_table([tree], filter=native.PathFilter(custom=custom), threads=16)
    assert len(seen) > 1


def test_stream_after_an_exception(tree):
    stream = native.TableStream([tree], filter=native.PathFilter(custom=lambda path: 1 / 0))
    with pytest.raises(ZeroDivisionError):
        drain(stream)
    assert stream.next() is None and stream.finished
    stream = native.WalkStream(tree, filter=native.PathFilter(custom=lambda path: 1 / 0))
    with pytest.raises(ZeroDivisionError):
        drain(stream)
    assert stream.next() is None


@pytest.mark.parametrize("where", (here, in_thread))
@pytest.mark.parametrize("name", WAITING)
def test_poll(tree, name, where):
    seen = []
    error = RuntimeError("of poll")

    def poll(entries):
        seen.append(entries)
        assert threading.current_thread() is asking[0]
        if len(seen) == 3:
            raise error

    asking = []

    def work():
        asking.append(threading.current_thread())
        CALLS[name](tree, filter=native.PathFilter(custom=forever), threads=2, poll=poll)

    begun = time.monotonic()
    with pytest.raises(RuntimeError) as caught:
        where(work)
    assert caught.value is error
    assert seen == sorted(seen) and seen[-1] < 1000
    assert time.monotonic() - begun < 6


@pytest.mark.parametrize("where", (here, in_thread))
@pytest.mark.parametrize("name", WAITING)
def test_cancel_from_another_thread(tree, name, where):
    token = native.CancelToken()
    assert not token.cancelled
    timer = threading.Timer(0.1, token.cancel)
    timer.start()
    begun = time.monotonic()
    result = where(lambda: CALLS[name](tree, filter=native.PathFilter(custom=forever), threads=1, cancel=token))
    timer.join()
    assert time.monotonic() - begun < 4
    ending = result["ending"] if isinstance(result, dict) else result.ending
    assert ending == "cancelled" and token.cancelled
    again = CALLS[name](tree, cancel=token)
    assert (again["ending"] if isinstance(again, dict) else again.ending) == "cancelled"


@pytest.mark.parametrize("make", (native.TableStream, native.WalkStream))
def test_streams_are_left(tree, make):
    root = tree if make is native.WalkStream else [tree]
    slow = native.PathFilter(custom=forever)
    for capacity in (1, 65536):
        stream = make(root, capacity=capacity, filter=slow)
        del stream
        stream = make(root, capacity=capacity)
        stream.next()
        del stream
        stream = make(root, capacity=capacity, filter=slow)
        reader = threading.Thread(target=drain, args=(stream,))
        reader.start()
        time.sleep(0.05)
        stream.cancel()
        reader.join(5)
        assert not reader.is_alive()
        assert stream.next() is None
        if make is native.TableStream:
            assert stream.ending in ("cancelled", "stopped")


def test_filters_are_collected(tree):
    class Custom:
        def __call__(self, path):
            return False

    gone = []
    for make in (lambda given: None, lambda given: native.WalkStream(tree, filter=given),
                 lambda given: native.TableStream([tree], filter=given)):
        custom = Custom()
        custom.filter = native.PathFilter(custom=custom)
        custom.stream = make(custom.filter)
        gone.append(weakref.ref(custom))
        del custom
    gc.collect()
    assert [reference() for reference in gone] == [None] * 3


# --- in processes of their own ---------------------------------------------------------------------


def run(script, tree, timeout=30):
    """Runs `script` after what all of them need; returns what it printed, seconds."""
    prologue = f"""
import os, signal, sys, threading, time
from trawl import _native as native
tree = {tree!r}
def slowly(path):
    time.sleep(0.01)
    return False
slow = native.PathFilter(custom=slowly)
def drain(stream):
    while stream.next() is not None:
        pass
"""
    begun = time.monotonic()
    # Python 3.12 warns of any fork where there are threads.
    done = subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", "-c", prologue + script],
                          timeout=timeout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout, time.monotonic() - begun


@pytest.mark.parametrize("call", (
    "native.scan_table([tree] * 5000, types=0)",
    "native.scan_table([tree] * 5000, types=0, threads=16)",
    "native.scan_table([tree], filter=slow, threads=1)",
    "native.list_table(tree, filter=slow, threads=1)",
    "native.usage([tree], filter=slow, threads=2)",
    "native.stat_table([tree] * 3000000)",
    "drain(native.TableStream([tree] * 5000, types=0))",
    "drain(native.TableStream([tree], filter=slow, threads=1))",
    "native.TableStream([tree], filter=slow, threads=1).ending",
    "drain(native.WalkStream(tree, filter=slow, threads=1))",
))
def test_keyboard_interrupt(tree, call):
    script = f"""
def interrupt(number, frame):
    global at
    at = time.monotonic()
    raise KeyboardInterrupt
signal.signal(signal.SIGALRM, interrupt)
signal.setitimer(signal.ITIMER_REAL, 0.5)
try:
    {call}
    print("ended before")
except KeyboardInterrupt:
    took = time.monotonic() - at
    for _ in range(100):
        if len(os.listdir("/proc/self/task")) == 1:
            break
        time.sleep(0.01)
    print(took, len(os.listdir("/proc/self/task")))
"""
    took, threads = map(float, run(script, tree)[0].split())
    assert threads == 1
    assert took < 5  # milliseconds, but for a machine that is busy; not what is left of the walk


@pytest.mark.parametrize("stream", (
    "native.TableStream([tree] * 5000, filter=rules, threads={threads}, chunk_rows=1, capacity=1)",
    "native.WalkStream(b'/usr', filter=rules, threads={threads}, capacity=1)",
))
@pytest.mark.parametrize("threads", (0, 1, 4))
def test_a_stream_that_its_own_worker_collects(tree, stream, threads):
    # The filter allocates, so the collector may find the cycle there; the worker can't wait for itself.
    script = f"""
import gc
class Job:
    def __init__(self):
        rules = native.PathFilter(custom=self.keep)
        self.stream = {stream.format(threads=threads)}
    def keep(self, path):
        [[] for _ in range(200)]
        return False
for _ in range(20):
    job = Job()
    job.stream.next()
    del job
    time.sleep(.01)
gc.collect()
for _ in range(1000):
    if len(os.listdir("/proc/self/task")) == 1:
        break
    time.sleep(0.01)
print(len(os.listdir("/proc/self/task")))
"""
    assert run(script, tree)[0] == "1\n"


def test_other_signals_do_not_end_it(tree):
    out, _ = run("""
seen = []
signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
table = native.scan_table([tree], filter=slow, max_depth=1, threads=1)
signal.setitimer(signal.ITIMER_REAL, 0)
print(table.complete, len(table), len(seen) > 3)
""", tree)
    assert out == "True 31 True\n"


def test_fork(tree):
    out, _ = run("""
def in_child(work):
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        try:
            work()
            sys.stdout.flush()
        except BaseException as error:
            print("child raised", repr(error), flush=True)
        os._exit(0)
    print(os.waitpid(child, 0)[1])

streams = [native.WalkStream(tree, capacity=1), native.TableStream([tree], capacity=1),
           native.WalkStream(tree, filter=slow), native.TableStream([tree], filter=slow)]
before = len(native.scan_table([tree]))

def use():
    for stream in streams:
        try:
            stream.next()
            print("no error")
        except RuntimeError:
            pass
        stream.cancel()
    assert streams[1].finished

def drop():
    streams.clear()

def walk():
    assert len(native.scan_table([tree])) == before
    assert len(native.scan_table([tree], filter=slow, max_depth=1)) == 31
    drain(native.WalkStream(tree))
    drain(native.TableStream([tree]))

for work in (use, drop, walk):
    in_child(work)

# While another thread is in a walk. (The sanitizer's own locks do not survive that.)
going = threading.Thread(target=native.scan_table, args=([tree],),
                         kwargs={"filter": slow, "max_depth": 1, "threads": 1})
going.start()
in_child(walk if "libasan" not in os.environ.get("LD_PRELOAD", "") else lambda: None)
going.join()

# From inside a walk.
parent = os.getpid()
def poll(entries):
    if os.getpid() == parent and not children:
        child = os.fork()
        if child:
            children.append(child)
children = []
try:
    native.scan_table([tree], filter=slow, max_depth=1, threads=1, poll=poll)
    assert os.getpid() == parent
except RuntimeError as error:
    assert os.getpid() != parent
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]))
drain(streams[0])
print("done")
""", tree)
    assert out == "0\n0\n0\n0\n7\ndone\n"


@pytest.mark.parametrize("work", (
    "native.scan_table([tree] * 300, types=0)",
    "native.scan_table([tree], filter=slow, threads=8)",
    "native.scan_table([tree] * 300, types=0, poll=lambda entries: None)",
    "drain(native.TableStream([tree] * 300, filter=slow))",
    "drain(native.WalkStream(tree, filter=slow))",
    "native.WalkStream(tree, capacity=1).next()",
))
def test_interpreter_exits_during_walks(tree, work):
    _, took = run(f"""
def loop():
    while True:
        {work}
for _ in range(4):
    threading.Thread(target=loop, daemon=True).start()
kept = [native.WalkStream(tree, capacity=1), native.TableStream([tree], capacity=1, filter=slow)]
kept.append(kept)
time.sleep(0.2)
""", tree)
    assert took < (20 if SANITIZED else 5)


def test_exit_handlers_may_walk(tree):
    out, _ = run("""
import atexit
atexit.register(lambda: print(len(native.scan_table([tree], filter=slow, max_depth=1))))
""", tree)
    assert out == "31\n"


@pytest.mark.skipif(SANITIZED, reason="freed memory is held back")
def test_memory_does_not_grow(tree):
    out, _ = run("""
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
quick = native.PathFilter(exclude=[b"1*"], custom=lambda path: False)
poll = lambda entries: None
one = tree + b"/1"
def bad(path):
    raise ValueError
raising = native.PathFilter(custom=bad)
def all_of_them():
    table = native.scan_table([one], fields=native.SIZE | native.MTIME)
    table.paths(), table.path_bytes(), table.rows(["path", "size", "mtime"]), table.column("type")
    table.__arrow_c_stream__(), table.__arrow_c_schema__(), table.errors, table.statistics
    native.list_table(one, link_targets=True).paths()
    native.usage([one], all_files=True)
    native.stat_table([one, b"/nowhere"], fields=native.SIZE).rows(["error"])
    native.scan_table([one], filter=quick, poll=poll, cancel=native.CancelToken())
    drain(native.WalkStream(one))
    drain(native.TableStream([one]))
    native.TableStream([one])
    for wrong in (lambda: native.scan_table([b"\\0"]), lambda: table.column("x"),
                  lambda: native.scan_table([one], filter=raising)):
        try:
            wrong()
        except (ValueError, KeyError):
            pass
    if hasattr(native, "profile"):
        native.profile(one)
for _ in range(200):
    all_of_them()
before = resident()
for _ in range(800):
    all_of_them()
print((resident() - before) // 1024)
""", tree, timeout=200)
    assert int(out) < 1024, f"{out} KiB more after 10,000 calls"
