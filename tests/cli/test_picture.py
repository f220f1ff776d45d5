# SPDX-License-Identifier: Apache-2.0
"""The picture and the JSON documents, against the file system and GNU du."""

import base64
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import jsonschema
import pytest

from cli.on_terminal import on_terminal

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture
def run(trawl_path):
    def run(*arguments, env=None, **options):
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **(env or {})}
        options.setdefault("capture_output", True)
        return subprocess.run([trawl_path, *arguments], env=environment, timeout=60, **options)

    return run


@pytest.fixture
def tree(tmp_path):
    """big/ 300 KiB in two files, mid/inner/ 100 KiB, small files, odd names, a hard link."""
    root = tmp_path / "tree"
    for directory, sizes in {"big": [200, 100], "mid/inner": [100], "empty": [], ".": [4]}.items():
        (root / directory).mkdir(parents=True, exist_ok=True)
        for i, size in enumerate(sizes):
            (root / directory / f"file{i}").write_bytes(os.urandom(size * 1024))
    os.link(root / "big/file0", root / "mid/again")
    return root


def lines(result):
    return result.stdout.decode().splitlines()


def test_shows_the_biggest_first_with_shares(run, tree):
    result = run(str(tree), env={"COLUMNS": "200"})
    assert result.returncode == 0 and result.stderr == b""
    out = lines(result)
    assert re.match(r" *\d+K 100%  " + re.escape(str(tree)) + "/ +█+$", out[0])
    assert re.search(r"├─ (big|mid)/ ", out[1])
    assert re.match(r"\d+K in 9 files and directories; 1 further hard link not counted again; .* entries/s$",
                    out[-1])


def summary(result):
    return " ".join(line for line in lines(result) if "─ " not in line and " 100%  " not in line)


def test_the_summary_says_what_was_counted(run, tree):
    """Also where that is not what was met."""
    (tree / "big" / "once more").symlink_to("file0")
    for arguments in ([str(tree)], [str(tree), str(tree)], [str(tree), str(tree / "nothing")],
                      [str(tree), str(tree / "mid")], ["-L", str(tree)], ["--apparent-size", str(tree)]):
        expected = json.loads(run("--json", *arguments).stdout)["total"]["inodes"]
        said = f"{expected} files and directories"
        sizes = summary(run(*arguments))
        assert f" in {said}; " in sizes and " director" not in sizes.replace(said, ""), arguments
        assert summary(run(*arguments, "--count")).startswith(said + ", "), arguments


def test_figures_are_gnu_dus(run, tree):
    expected = {}
    for line in subprocess.run(["du", "-a", "-B1", tree], capture_output=True, text=True,
                               check=True).stdout.splitlines():
        size, path = line.split("\t")
        expected[path] = int(size)
    document = json.loads(run("--json", "--top", "1000", str(tree)).stdout)
    found = {}

    def collect(node, path):
        found[path] = node["disk_usage"]
        children = node.get("children", [])
        if node["type"] == "directory":
            inside = sum(child["disk_usage"] for child in children)
            own = node["disk_usage"] - inside - node["omitted"]["disk_usage"]
            assert 0 <= own <= 65536
        for child in children:
            collect(child, path + "/" + child["name"])

    for root in document["roots"]:
        collect(root, root["name"])
    assert found == expected


def test_keeps_the_biggest_nodes(run, tree):
    everything = json.loads(run("--json", "--top", "1000", str(tree)).stdout)
    sizes = []

    def collect(node):
        sizes.append(node["disk_usage"])
        for child in node.get("children", []):
            collect(child)

    collect(everything["roots"][0])
    for top in (1, 2, 3, 5):
        few = json.loads(run("--json", "--top", str(top), str(tree)).stdout)
        sizes_of_few = []

        def collect_few(node):
            sizes_of_few.append(node["disk_usage"])
            for child in node.get("children", []):
                collect_few(child)

        collect_few(few["roots"][0])
        assert sorted(sizes_of_few) == sorted(sizes)[-top:]


@pytest.mark.parametrize("threads", [1, 2, 16])
def test_is_the_same_for_any_number_of_workers(run, threads):
    def picture(count):
        text = run("--threads", str(count), "--count", "/usr/share/doc").stdout.decode()
        return [line for line in text.splitlines() if "entries/s" not in line]

    assert picture(threads) == picture(4)


def schema(name):
    return json.loads((DOCS / name).read_text())


def test_json_fits_its_schema(run, tree):
    bad = os.path.join(os.fsencode(tree), b"bad\xff\nname")
    os.mkdir(bad)
    with open(bad + b"/f", "wb") as file:
        file.write(b"x" * 500000)
    result = run("--json", "--top", "100", str(tree), str(tree) + "/nothing")
    assert result.returncode == 1
    document = json.loads(result.stdout)
    jsonschema.validate(document, schema("picture.schema.json"))
    assert document["complete"] is False and document["errors"][0]["errno"] == 2
    names = {child.get("name_base64") for child in document["roots"][0]["children"]}
    assert base64.b64encode(b"bad\xff\nname").decode() in names

    result = run("du", "--json", "-a", "--time", str(tree))
    document = json.loads(result.stdout)
    jsonschema.validate(document, schema("du.schema.json"))
    expected = subprocess.run(["du", "-a0", "-B1", tree], capture_output=True, check=True).stdout
    entries = [
        (entry["disk_usage"],
         base64.b64decode(entry["path_base64"]) if "path_base64" in entry
         else entry["path"].encode())
        for entry in document["entries"]
    ]
    assert b"".join(b"%d\t%s\0" % entry for entry in entries) == expected


def test_schema_refuses_what_is_wrong(run, tree):
    document = json.loads(run("--json", str(tree)).stdout)
    document["roots"][0]["disk_usage"] = -1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema("picture.schema.json"))


def test_width_is_kept(run, tree):
    (tree / ("w" * 120)).write_bytes(b"x" * 90000)
    (tree / ("宽" * 60)).write_bytes(b"x" * 80000)
    for columns in (40, 60, 80, 120):
        for line in lines(run(str(tree), env={"COLUMNS": str(columns)}))[:-2]:
            width = sum(2 if character == "宽" else 1 for character in line)
            assert width <= max(columns, 40) or line.endswith(str(tree)), (columns, line)


def test_height_is_kept(run):
    for rows in (10, 24):
        assert len(lines(run("/usr/share", env={"LINES": str(rows)}))) <= rows - 1


def test_no_terminal_no_escapes(run, tree):
    assert b"\033" not in run(str(tree)).stdout
    colored = run("--color=always", str(tree), env={"LS_COLORS": "di=01;35"}).stdout
    assert b"\033[01;35mbig" in colored


def test_colors_on_a_terminal_unless_refused(trawl_path, tree):
    command = [str(trawl_path), "--progress=never", str(tree)]
    base = {"TERM": "xterm", "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]}
    for extra, colored in [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True),
                           ({"TERM": "dumb"}, False)]:
        out, status = on_terminal(command, {**base, **extra})
        assert status == 0
        assert (b"\033[" in out) == colored, extra


def test_names_can_not_write_escapes(run, tree):
    (tree / "evil\033[31m\rname").write_bytes(b"x" * 500000)
    (tree / r"evil\x1b[31m\x0dname").write_bytes(b"x" * 500000)
    out = run(str(tree)).stdout.decode()
    assert "\033" not in out and "\r" not in out
    assert r"evil\x1b[31m\x0dname" in out and r"evil\\x1b[31m\\x0dname" in out


def test_ascii_locale(run, tree):
    out = run(str(tree), env={"LC_ALL": "C"}).stdout
    assert all(byte < 128 for byte in out) and b"|- " in out and b"#" in out


def test_errors_are_said(run, tree):
    result = run(str(tree / "nothing"))
    assert result.returncode == 1
    assert result.stderr.decode() == f"trawl: cannot access '{tree}/nothing': No such file or directory\n"
    assert result.stdout == b""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody who may not read")
def test_unreadable_directories_are_counted_and_listed(run, tree, trawl_path):
    tree.parent.chmod(0o755)
    for parent in tree.parents:
        if parent.stat().st_mode & 0o005 != 0o005:
            parent.chmod(parent.stat().st_mode | 0o055)
    secret = tree / "secret"
    secret.mkdir(mode=0o700)
    # A copy, because other users may not be able to reach the build directory.
    somebody = {"user": 65534, "group": 65534, "executable": shutil.copy(trawl_path, tree.parent)}
    result = run(str(tree), **somebody)
    assert result.returncode == 1
    assert re.search(r"1 directory could not be read \(! marks where\), so the total is at least \d+K: "
                     r"`trawl --errors` lists it$", " ".join(lines(result)))
    result = run("--errors", str(tree), **somebody)
    assert f"trawl: cannot read directory '{secret}': Permission denied" in result.stderr.decode()
    assert "lists" not in result.stdout.decode()
    (tree / "secret too").mkdir(mode=0o700)
    assert "lists them" in " ".join(lines(run(str(tree), **somebody)))


def test_what_is_listed_anyway_needs_no_hint(run, tree):
    result = run(str(tree), str(tree / "nothing"))
    assert "1 entry could not be read" in summary(result) and "lists" not in summary(result)
    assert "nothing" in result.stderr.decode()


@pytest.mark.parametrize("arguments, said", [
    (["--nonsense"], "unrecognized option '--nonsense'"),
    (["--depth", "x"], "--depth argument ‘x’"),
    (["--top=0"], "--top argument ‘0’"),
    (["--min-share=101"], "--min-share argument ‘101’"),
    (["--min-share=nan"], "--min-share argument ‘nan’"),
    (["--sort=width"], "--sort argument ‘width’"),
    (["--threads=0"], "--threads argument ‘0’"),
    (["--threads=-3"], "--threads argument ‘-3’"),
    (["--timeout=0"], "--timeout argument ‘0’"),
    (["--timeout=soon"], "--timeout argument ‘soon’"),
    (["--timeout=1e"], "--timeout argument ‘1e’"),
    (["--timeout=inf"], "--timeout argument ‘inf’"),
    (["--timeout=1e99"], "--timeout argument ‘1e99’"),
    (["--color=blue"], "--color argument ‘blue’"),
    (["-X", "/nonexistent/file"], "/nonexistent/file"),
])
def test_wrong_usage(run, arguments, said):
    result = run(*arguments)
    assert result.returncode == 2 and result.stdout == b""
    assert said in result.stderr.decode()


@pytest.mark.parametrize("arguments", [["--timeout=0"], ["--threads=0"], ["--timeout", "x"],
                                       ["--progress=no"], ["--json=1"]])
def test_wrong_usage_of_du(run, arguments):
    result = run("du", *arguments)
    assert result.returncode == 1 and result.stdout == b"" and b"trawl du: " in result.stderr


def test_depth_share_sort_and_exclude(run, tree):
    assert not any("inner" in line for line in lines(run("--depth=1", str(tree))))
    assert not any("empty" in line for line in lines(run("--min-share=20", str(tree))))
    names = [line.split("── ")[1] for line in lines(run("--sort=name", "--depth=1", str(tree)))
             if "── " in line]
    assert names == sorted(names)
    backwards = [line.split("── ")[1]
                 for line in lines(run("--sort=name", "-r", "--depth=1", str(tree))) if "── " in line]
    assert backwards == names[::-1]
    assert not any("big" in line for line in lines(run("--exclude=big", str(tree))))


def test_output_that_fails(run, tree):
    with open("/dev/full", "wb") as full:
        for arguments in ([], ["--json"], ["du"], ["--help"]):
            result = run(*arguments, *([] if "--help" in arguments else [str(tree)]),
                         stdout=full, stderr=subprocess.PIPE, capture_output=False)
            assert result.returncode == 1, arguments
            # GNU du does not say why.
            expected = b"write error\n" if arguments == ["du"] else b"write error: No space left on device\n"
            assert result.stderr.endswith(expected)


@pytest.fixture
def slow_tree(tmp_path):
    """Enough entries that a walk with one worker takes tens of milliseconds."""
    for i in range(60):
        (tmp_path / f"d{i}").mkdir()
        for j in range(500):
            (tmp_path / f"d{i}" / f"f{j}").touch()
    return tmp_path


def test_timeout_holds_while_names_are_read(run):
    """Also where they come one by one, and for ever."""
    reader, writer = os.pipe()
    os.write(writer, b"/\0/usr")
    try:
        result = run("du", "--timeout=300ms", "--files0-from=-", stdin=reader)
    finally:
        os.close(reader)
        os.close(writer)
    assert result.returncode == 1 and result.stdout == b""
    assert b"stopped by --timeout: the figures are partial" in result.stderr


def test_timeout_gives_a_partial_picture(run, slow_tree):
    for milliseconds in (1, 2, 4, 8, 16):  # on a busy machine the walk may not have begun after one
        result = run(f"--timeout={milliseconds}ms", "--threads=1", str(slow_tree))
        assert result.returncode == 1
        text = " ".join(lines(result))
        assert "stopped by --timeout: the figures are partial" in text
        if "(! marks where)" in text:
            break
    assert "(! marks where)" in text
    document = json.loads(run("--json", "--timeout=1ms", "--threads=1", str(slow_tree)).stdout)
    assert document["ending"] == "timed_out" and document["complete"] is False


def test_interruption_gives_a_partial_picture(trawl_path):
    process = subprocess.Popen([trawl_path, "--threads=1", "/usr", "/usr", "/usr"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(0.03)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=10)
    if process.returncode == 0:
        pytest.skip("the walk was over before it could be interrupted")
    assert process.returncode in (130, -signal.SIGINT)
    if process.returncode == 130:
        assert "interrupted: the figures are partial" in out.decode()


def test_progress_clears_itself(run, tree):
    quiet = run("--progress=always", str(tree))
    assert quiet.stderr in (b"", b"\r\033[K")  # too short to be shown
    assert run(str(tree)).stderr == b""


def test_stats(run, tree):
    text = run("--stats", str(tree)).stderr.decode()
    assert re.search(r"^10 entries, 5 directories in ", text)
    assert "system calls: " in text
    for command in ([], ["du", "-s"]):
        document = json.loads(run(*command, "--stats=json", str(tree)).stderr)
        jsonschema.validate(document, json.loads((DOCS / "stats.schema.json").read_text()))
        assert document["total"]["entries"] == sum(each["entries"] for each in document["workers"]) == 10


def test_help_and_version(run):
    for command in ([], ["du"]):
        assert b"Usage: trawl" in run(*command, "--help").stdout
        assert re.search(rb"\d+\.\d+\.\d+\n$", run(*command, "--version").stdout)
        assert run("help", *command).stdout == run(*command, "--help").stdout


@pytest.mark.parametrize("arguments", [["nope"], ["--version"], ["du", "du"], [""]])
def test_no_help_on_what_is_no_command(run, arguments):
    result = run("help", *arguments)
    assert result.returncode == 2 and result.stdout == b""
    assert result.stderr.startswith(b"trawl: no help on ") and b"`trawl help du`" in result.stderr
