# SPDX-License-Identifier: Apache-2.0
# labels: sanitize
"""trawl stat: lists, forms, bad input, pipes and signals."""

import base64
import csv
import io
import json
import os
import pathlib
import signal
import subprocess
import time

import jsonschema
import pytest

from cli.on_terminal import on_terminal

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC0"}


@pytest.fixture
def stat(trawl_path, tmp_path):
    """Runs trawl stat in a directory of its own. Returns (status, stdout, stderr)."""

    def stat(*arguments, input=b"", environment=None):
        done = subprocess.run([trawl_path, "stat", *arguments], input=input, capture_output=True,
                              cwd=tmp_path, env={**ENVIRONMENT, **(environment or {})}, timeout=300)
        return done.returncode, done.stdout, done.stderr.decode()

    return stat


@pytest.fixture
def files(tmp_path):
    names = [b"plain", b"a b", b"new\nline", b"\xff\xfe", b'q"uo,te', b"-dash", b"x" * 255]
    for name in names:
        path = os.path.join(os.fsencode(tmp_path), name)
        with open(path, "wb") as file:
            file.write(b"x" * len(name))
        os.utime(path, ns=(1, 1_700_000_000_123_456_789))
    return names


# --- lists -----------------------------------------------------------------------------------------


def test_a_list_of_lines(stat, files):
    status, out, err = stat("--files-from=-", "-c", "%s %n", input=b"plain\na b\n-dash")
    assert (status, out, err) == (0, b"5 plain\n3 a b\n5 -dash\n", "")


def test_a_list_with_nuls_ends_its_output_so(stat, files):
    status, out, err = stat("-0", "--files-from", "-", "-c", "%s %n", input=b"\0".join(files) + b"\0")
    assert (status, err) == (0, "")
    assert out == b"".join(b"%d %s\0" % (len(name), name) for name in files)


def test_a_list_in_a_file(stat, files, tmp_path):
    (tmp_path / "list").write_bytes(b"plain\n\nmissing\na b\n")
    status, out, err = stat("--files-from=list", "--printf=%n|")
    assert (status, out) == (1, b"plain|a b|")
    assert err == ("trawl stat: cannot stat '' (item 2): No such file or directory\n"
                   "trawl stat: cannot stat 'missing' (item 3): No such file or directory\n")


def test_an_empty_list(stat):
    assert stat("--files-from=-") == (0, b"", "")


def test_operands_are_items_too(stat, files):
    status, out, err = stat("-c", "%n", "plain", "no\nsuch", "plain")
    assert (status, out) == (1, b"plain\nplain\n")
    assert err == "trawl stat: cannot stat 'no'$'\\n''such' (item 2): No such file or directory\n"


def test_order_over_many_chunks(stat, files):
    numbers = range(100_000)
    text = b"".join(b"%s%d\n" % (b"./" * (i % 3), i) if i % 1000 == 7 else b"plain\n" for i in numbers)
    status, out, err = stat("--files-from=-", "-c", "%n", input=text)
    assert status == 1 and out == b"plain\n" * 99_900
    assert [int(line.split("(item ")[1].split(")")[0]) for line in err.splitlines()] == \
        [i + 1 for i in numbers if i % 1000 == 7]


def test_messages_stand_where_their_lines_would(trawl_path, tmp_path, files):
    done = subprocess.run([trawl_path, "stat", "-c", "%n", "plain", "no", "a b", "none", "-0", "--", "-dash"],
                          cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60)
    plain, no, rest, none, dash = done.stdout.replace(b"\n", b"\0").split(b"\0")[:5]
    assert (plain, rest, dash) == (b"plain", b"a b", b"-dash") and b"'no'" in no and b"'none'" in none


# --- bad input -------------------------------------------------------------------------------------


def test_a_list_that_ends_without_its_nul(stat, files):
    status, out, err = stat("-0", "--files-from=-", "-c", "%n", input=b"plain\0a b\0pla")
    assert (status, out) == (1, b"plain\0a b\0")
    assert err == "trawl stat: 'pla' (item 3): the list ends in it, without a NUL\n"


def test_an_item_that_is_too_long(stat, files):
    status, out, err = stat("--files-from=-", "-c", "%n", input=b"x" * 3_000_000 + b"\nplain\n")
    assert (status, out) == (1, b"plain\n")
    assert err.startswith("trawl stat: cannot stat 'xxx") and "(item 1): File name too long" in err
    assert len(err) < 400


def test_an_item_that_is_longer_than_a_chunk(stat, files):
    status, out, err = stat("--files-from=-", "-c", "%n", input=b"x" * 40_000_000 + b"\nplain\n")
    assert (status, out) == (1, b"plain\n") and "(item 1): File name too long" in err


@pytest.mark.parametrize("arguments", [["--timeout=200ms"], []], ids=["timeout", "SIGINT"])
def test_a_fifo_that_nobody_writes_to_holds_nothing_back(trawl_path, tmp_path, arguments):
    os.mkfifo(tmp_path / "list")
    process = subprocess.Popen([trawl_path, "stat", "--files-from=list", *arguments], cwd=tmp_path,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if not arguments:
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
    try:
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, out) == (1 if arguments else 130, b"")
    assert err.decode().endswith(": not all paths were looked at\n")


def test_a_fifo_is_read_to_its_end(trawl_path, tmp_path, files):
    os.mkfifo(tmp_path / "list")
    process = subprocess.Popen([trawl_path, "stat", "--files-from=list", "-c", "%n"], cwd=tmp_path,
                               stdout=subprocess.PIPE)
    time.sleep(0.2)
    with open(tmp_path / "list", "wb", buffering=0) as file:
        time.sleep(0.2)
        file.write(b"plain\n")
        assert process.stdout.readline() == b"plain\n"
        file.write(b"a b")
    assert process.communicate(timeout=60)[0] == b"a b\n" and process.returncode == 0


def test_a_component_that_is_too_long(stat, files):
    status, out, err = stat("-c", "%n", "y" * 256, "plain")
    assert (status, out) == (1, b"plain\n") and "(item 1): File name too long" in err


def test_a_path_longer_than_path_max(stat, tmp_path):
    at = os.open(tmp_path, os.O_DIRECTORY)
    for _ in range(30):
        os.mkdir(b"d" * 200, dir_fd=at)
        at, above = os.open(b"d" * 200, os.O_DIRECTORY, dir_fd=at), at
        os.close(above)
    os.close(os.open(b"file", os.O_CREAT | os.O_WRONLY, dir_fd=at))
    os.symlink(b"file", b"link", dir_fd=at)
    os.close(at)
    deep = (b"d" * 200 + b"/") * 30
    status, out, err = stat("--files-from=-", "-c", "%F %N", input=deep + b"file\n" + deep + b"link\n" +
                            deep + b"none\n")
    assert status == 1 and "(item 3): No such file" in err
    assert out == (b"regular empty file '%sfile'\nsymbolic link '%slink' -> 'file'\n" % (deep, deep))
    subprocess.run(["rm", "-rf", tmp_path / ("d" * 200)], check=True, timeout=60)


@pytest.mark.parametrize("arguments, message", [
    (["-c", "%q", "x"], "unknown directive '%q'; directives are %a %A"),
    (["-c", "%5%", "x"], "invalid directive"),
    (["--printf=\\q", "x"], "unknown escape '\\\\q'"),
    (["--fields={sise}", "x"], "unknown field 'sise'; fields are {path}"),
    (["--fields={size", "x"], "a { without its }"),
    (["--json", "--csv", "x"], "--json and --csv cannot be combined"),
    (["--files-from=-", "x"], "cannot be combined: 'x'"),
    ([], "no paths"),
    (["--threads=0", "x"], "invalid --threads argument '0'"),
    (["--timeout=x", "x"], "invalid --timeout argument 'x'"),
    (["--stats=x", "x"], "invalid --stats argument 'x'"),
    (["--progress=x", "x"], "invalid --progress argument 'x'"),
    (["--nonsense", "x"], "trawl stat: unrecognized option"),
])
def test_wrong_usage(stat, arguments, message):
    status, out, err = stat(*arguments)
    assert status == 2 and out == b"" and message in err


def test_a_list_that_cannot_be_read(stat):
    status, out, err = stat("--files-from=none", "-c", "%n")
    assert (status, out) == (1, b"")
    assert err == "trawl stat: cannot open 'none' for reading: No such file or directory\n"
    status, out, err = stat("--files-from=/", "-c", "%n")
    assert (status, out, err) == (1, b"", "trawl stat: /: read error: Is a directory\n")


# --- forms -----------------------------------------------------------------------------------------


def bytes_of(object, key):
    encoded = object.get(key + "_base64")
    return base64.b64decode(encoded) if encoded else object[key].encode()


def test_json_has_a_line_for_each_path(stat, files, tmp_path):
    os.symlink(b"\xff->", tmp_path / "link")
    schema = json.loads((ROOT / "docs/list.schema.json").read_text())
    validator = jsonschema.Draft7Validator(schema)
    names = [*files, b"link", b"none\xff", b"", b"/dev/null"]
    status, out, err = stat("-0", "--files-from=-", "--json", input=b"\0".join(names) + b"\0")
    objects = [json.loads(line) for line in out.splitlines()]
    assert status == 1 and len(err.splitlines()) == 2
    for object in objects:
        validator.validate(object)
    assert [bytes_of(object, "path") for object in objects] == names
    assert [object["error"]["errno_name"] for object in objects if "error" in object] == ["ENOENT"] * 2
    assert bytes_of(objects[names.index(b"link")], "target") == b"\xff->"
    assert (objects[-1]["rdev_major"], objects[-1]["rdev_minor"]) == (1, 3)
    assert objects[0]["mtime"] == {"seconds": 1_700_000_000, "nanoseconds": 123_456_789}


def test_csv_reads_back(stat, files):
    status, out, err = stat("-0", "--files-from=-", "--csv", input=b"\0".join(files) + b"\0none\0")
    rows = list(csv.DictReader(io.StringIO(out.decode("latin-1"), newline="")))
    assert status == 1 and "(item 8)" in err and out.endswith(b"\r\n")
    assert [row["path"].encode("latin-1") for row in rows] == files
    assert [int(row["size"]) for row in rows] == [len(name) for name in files]
    assert {row["mtime"] for row in rows} == {"2023-11-14T22:13:20.123456789Z"}


def test_long_is_the_default_and_aligned(stat, files, tmp_path):
    (tmp_path / "big").touch()
    os.truncate(tmp_path / "big", 5_000_000_000)
    os.symlink("plain", tmp_path / "link")
    status, out, err = stat("plain", "big", "link", "/dev/null", "--long")
    assert (status, err) == (0, "")
    assert stat("plain", "big", "link", "/dev/null")[1] == out
    lines = out.decode().splitlines()
    assert [line[:1] for line in lines] == ["-", "-", "l", "c"]
    assert {line.index(name) for line, name in zip(lines, ["plain", "big", "link", "/dev"])} == \
        {lines[0].index("plain")}
    assert "5  2023-11-14 22:13 plain" in lines[0].replace("5 2023", "5  2023")
    assert lines[2].endswith(" link -> plain") and " 1, 3 " in lines[3]


def test_fields(stat, files, tmp_path):
    info = os.lstat(tmp_path / "plain")
    status, out, _ = stat("--fields={path} {size} {inode} {mode} {mtime}\\t{mtime:%s}", "./plain")
    assert status == 0
    assert out.decode() == (f"./plain 5 {info.st_ino} 0644 2023-11-14T22:13:20.123456789Z\t1700000000\n")


def test_follow(stat, files, tmp_path):
    os.symlink("plain", tmp_path / "link")
    os.symlink("nowhere", tmp_path / "dangling")
    assert stat("-c", "%F", "link") == (0, b"symbolic link\n", "")
    for option in ("-L", "--follow", "--dereference"):
        assert stat("-c", "%F %N", option, "link") == (0, b"regular file 'link'\n", "")
    assert stat("-L", "-c", "%F", "dangling")[0] == 1
    assert json.loads(stat("-L", "--json", "link")[1])["size"] == 5


def test_printf_adds_nothing(stat, files):
    assert stat("--printf=%n\\0\\x41", "plain", "a b") == (0, b"plain\0Aa b\0A", "")
    assert stat("-0", "--printf=%n", "plain", "a b") == (0, b"plaina b", "")


def test_quoting_style(stat, files):
    assert stat("-c", "%N", "a b", environment={"QUOTING_STYLE": "c"}) == (0, b'"a b"\n', "")
    status, out, err = stat("-c", "%N", "a b", environment={"QUOTING_STYLE": "odd"})
    assert (status, out) == (0, b"'a b'\n") and "QUOTING_STYLE: 'odd'" in err


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_the_number_of_threads_changes_nothing(stat, files, threads):
    text = b"plain\na b\n/dev/null\nnone\n" * 5000
    for form in (["--long"], ["--json"], ["-c", "%n %s %N"]):
        assert stat("--files-from=-", *form, f"--threads={threads}", input=text) == \
            stat("--files-from=-", *form, input=text)


# --- how it runs -----------------------------------------------------------------------------------


def test_stats(stat, files):
    _, _, err = stat("plain", "none", "--stats=json")
    document = json.loads(err.splitlines()[-1])
    assert (document["paths"], document["errors"], document["ending"]) == (2, 1, "complete")
    _, _, err = stat("plain", "--stats")
    assert err.startswith("1 path, 0 errors in ")


def test_help(stat, trawl_path):
    helped = subprocess.run([trawl_path, "help", "stat"], capture_output=True, timeout=60)
    assert (helped.returncode, helped.stdout, "") == stat("--help")
    assert b"trawl stat" in helped.stdout


@pytest.fixture
def running(trawl_path, tmp_path):
    """Starts trawl stat with a pipe at each end."""
    processes = []

    def start(*arguments, **options):
        process = subprocess.Popen([trawl_path, "stat", *arguments], cwd=tmp_path, env=ENVIRONMENT,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   **options)
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait(60)
        for pipe in (process.stdin, process.stdout, process.stderr):
            try:
                pipe.close()
            except BrokenPipeError:
                pass


def test_a_live_pipe_gets_its_answers(running, files):
    process = running("--files-from=-", "-c", "%n")
    for name in (b"plain", b"a b", b"-dash"):
        process.stdin.write(name + b"\n")
        process.stdin.flush()
        assert process.stdout.readline() == name + b"\n"  # else this waits for ever
    process.stdin.close()
    assert process.wait(60) == 0


def test_a_reader_that_leaves(running, files):
    process = running("--files-from=-", "-c", "%n")
    process.stdout.close()
    try:
        for _ in range(200):
            process.stdin.write(b"plain\n" * 10_000)
    except BrokenPipeError:
        pass
    assert process.wait(60) == -signal.SIGPIPE


def test_a_reader_that_leaves_where_that_is_ignored(running, files):
    process = running("--files-from=-", "-c", "%n", restore_signals=False)
    process.stdout.close()
    try:
        for _ in range(200):
            process.stdin.write(b"plain\n" * 10_000)
    except BrokenPipeError:
        pass
    assert process.wait(60) == 1
    assert process.stderr.read().endswith(b"trawl stat: write error: Broken pipe\n")


def test_an_interrupt_while_the_list_is_waited_for(running, files):
    process = running("--files-from=-", "-c", "%n")
    process.stdin.write(b"plain\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"plain\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert process.stderr.read() == b"trawl stat: interrupted: not all paths were looked at\n"


def test_a_timeout_while_the_list_is_waited_for(running, files):
    begin = time.monotonic()
    process = running("--files-from=-", "-c", "%n", "--timeout=300ms")
    process.stdin.write(b"plain\n")
    process.stdin.flush()
    assert process.wait(60) == 1
    assert time.monotonic() - begin >= 0.3
    assert process.stdout.read() == b"plain\n"
    assert process.stderr.read() == b"trawl stat: stopped by --timeout: not all paths were looked at\n"


def test_names_are_quoted_at_a_terminal(trawl_path, tmp_path, files):
    out, status = on_terminal([trawl_path, "stat", os.fsencode(tmp_path) + b"/\xff\xfe"], ENVIRONMENT, (40, 200))
    assert status == 0 and b"$'\\377\\376'" in out


def test_memory_does_not_grow_with_the_list(trawl_path, tmp_path, files):
    measure = ("import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, "
               "stdout=subprocess.DEVNULL); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    # AddressSanitizer keeps what was freed, 256 MB of it.
    environment = {**ENVIRONMENT, "ASAN_OPTIONS": "quarantine_size_mb=1"}
    most = []
    for count in (200_000, 1_200_000):
        with open(tmp_path / "list", "wb") as file:
            file.write(b"plain\n" * count)
        done = subprocess.run(["python3", "-c", measure, trawl_path, "stat", "--files-from=list", "-c", "%n %s"],
                              cwd=tmp_path, env=environment, capture_output=True, check=True, timeout=300)
        most.append(int(done.stdout))
    assert most[1] < 1.5 * most[0] + 10_000, most
