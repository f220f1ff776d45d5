# SPDX-License-Identifier: Apache-2.0
"""The page of `trawl profile --html`: how it is written, and what it does in a real browser."""

import http.server
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import threading

import pytest

from cli.browser import Browser, Page

ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}


@pytest.fixture(scope="module")
def run(trawl_path):
    def run(*arguments, **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **options}
        return subprocess.run([trawl_path, "profile", *arguments], timeout=120, env=ENVIRONMENT, **options)

    return run


# --- the file --------------------------------------------------------------------------------------

PAGE = re.compile(rb"<!DOCTYPE html>\n.*</html>\n", re.DOTALL)


def test_writes_a_file_beside_the_report(run, tmp_path):
    (tmp_path / "tree").mkdir()
    result = run("--html=page.html", "tree", cwd=tmp_path)
    assert result.returncode == 0 and result.stdout.startswith(b"tree\n") and result.stderr == b""
    assert PAGE.fullmatch((tmp_path / "page.html").read_bytes())
    assert sorted(os.listdir(tmp_path)) == ["page.html", "tree"]
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "page.html").stat().st_mode & 0o777 == 0o666 & ~umask
    result = run("--html=page.html", "--json", "tree", cwd=tmp_path)
    assert json.loads(result.stdout)["kind"] == "trawl.profile" and "tree" not in json.loads(result.stdout)


def test_standard_output(run, tmp_path):
    result = run("--html=-", tmp_path)
    assert result.returncode == 0 and PAGE.fullmatch(result.stdout)
    result = run("--html=-", "--timeout=1ms", "/usr")
    assert result.returncode == 1 and PAGE.fullmatch(result.stdout)
    assert result.stderr == b"trawl profile: stopped by --timeout: the figures are partial\n"


def test_the_page_is_not_counted_before_it_is_there(run, tmp_path):
    for expected in (0, 1):
        result = run("--html=page.html", "--json", cwd=tmp_path)
        assert json.loads(result.stdout)["summary"]["total_files"] == expected


def test_replaces_what_is_there(run, tmp_path):
    """At once: who has the old file open keeps it. Its mode stays, a link to it too."""
    page = tmp_path / "page.html"
    page.write_text("old")
    page.chmod(0o640)
    (tmp_path / "link").symlink_to("page.html")
    with page.open() as before:
        assert run(f"--html={tmp_path}/link", tmp_path).returncode == 0
        assert before.read() == "old"
    assert PAGE.fullmatch(page.read_bytes()) and page.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "link").is_symlink() and sorted(os.listdir(tmp_path)) == ["link", "page.html"]


def test_writes_to_what_is_no_file(run, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    got = []
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
    reader.start()
    assert run(f"--html={fifo}", "/dev/shm").returncode == 0
    reader.join(timeout=60)
    assert PAGE.fullmatch(got[0]) and fifo.is_fifo()


@pytest.mark.parametrize("name, why", [("nothing/page.html", "No such file or directory"), ("file/page.html", "Not a directory"),
                                       ("folder", "Is a directory"), ("new/", "Is a directory"), ("", "No such file or directory"), ("/dev/full", "No space left on device")])  # fmt: skip
def test_what_cannot_be_written(run, tmp_path, name, why):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    result = run(f"--html={name}", "folder", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr.decode() == f"trawl profile: cannot write '{name}': {why}\n"
    assert pathlib.Path("/dev/full").is_char_device()


def test_a_page_that_does_not_fit_leaves_the_old_one(run, tmp_path):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    page = tmp_path / "page.html"
    page.write_text("old")
    result = run(f"--html={page}", "/dev/shm", preexec_fn=limit)
    assert result.returncode == 1
    assert result.stderr.decode() == f"trawl profile: cannot write '{page}': File too large\n"
    assert page.read_text() == "old" and os.listdir(tmp_path) == ["page.html"]


def test_asks_nothing_of_the_network(run, tmp_path):
    text = run("--html=-", tmp_path).stdout.decode()
    assert "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'" in text
    assert not re.search(r"https?:|//[a-z]|@import|url\(|<link|<img|<iframe|\bsrc=", text.replace(str(tmp_path), ""))


def test_names_end_nothing(run, tmp_path):
    """Whatever they are, the figures stay one script element, and ASCII."""
    (tmp_path / "<" / "script><script>alert(1)<").mkdir(parents=True)
    (tmp_path / "<!--").mkdir()
    (tmp_path / "\u2028\u2029").mkdir()
    (tmp_path / os.fsdecode(b"\xff\xc3&amp;")).mkdir()
    text = run("--html=-", tmp_path).stdout
    assert text.count(b"<script") == 2 and text.count(b"</script") == 2
    figures = re.search(rb'<script id="figures" type="application/json">(.*?)</script>', text, re.DOTALL)[1]
    assert figures.isascii() and not re.search(rb"[<>&]", figures)
    names = [path.removeprefix(str(tmp_path) + "/") for path in json.loads(figures)["empty_folders"]]
    assert names == ["<!--", "</script><script>alert(1)<", r"\xe2\x80\xa8\xe2\x80\xa9", r"\xff\xc3&amp;"]


# --- in a browser ----------------------------------------------------------------------------------

needs_browser = pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


MARKUP = "<img src=x onerror=pwned=1>"


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    sizes = {"big/inner/one.bin": 400_000, "big/inner/deeper/two.bin": 300_000, "big/three.bin": 100_000, "middle/four.txt": 150_000,
             "middle/more/five.txt": 50_000, f"{MARKUP}/{MARKUP}.js": 90_000, "top.dat": 10_000,
             "copy/four.txt": 150_000, os.fsdecode(b"in\xffvalid\n/six"): 40_000, "'\"&amp;/seven": 30_000}  # fmt: skip
    for name, size in sizes.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x" * size)
    for i in range(300):
        (root / "middle/more" / f"{i}.log").write_bytes(b"x")
    (root / "<" / "script><script>pwned=1<").mkdir(parents=True)
    return root


@pytest.fixture(scope="module")
def figures(run, tree):
    return json.loads(run("--json", tree).stdout)


@pytest.fixture(scope="module")
def url(run, tree, tmp_path_factory):
    page = tmp_path_factory.mktemp("page") / "page.html"
    assert run(f"--html={page}", tree).returncode == 0
    return page.as_uri()


@pytest.fixture
def page(browser, url):
    page = Page(browser).open(url)
    yield page
    assert page.problems == [] and page.requests == [url]
    assert page.evaluate("typeof pwned") == "undefined"
    page.close()


def texts(page, selector):
    return page.evaluate(f"[...document.querySelectorAll({json.dumps(selector)})].map((each) => each.textContent)")


def cell(name):
    return f"[...document.querySelectorAll('.cell')].find((each) => each.querySelector('.name')?.firstChild.textContent.trim() === {json.dumps(name)})"


def panel(title):
    return f"[...document.querySelectorAll('.panel')].find((each) => each.querySelector('h2')?.firstChild.textContent === {json.dumps(title)})"


def column(page, title, at):
    return page.evaluate(f"[...({panel(title)}).querySelectorAll('tbody tr')].map((row) => row.cells[{at}].textContent)")


@needs_browser
def test_shows_the_figures(page, tree, figures):
    summary = figures["summary"]
    assert texts(page, "h1") == [str(tree)] and page.evaluate("document.title") == f"{tree} – trawl profile"
    cards = dict(zip(texts(page, ".card span"), texts(page, ".card b")))
    assert cards == {
        "Files": str(summary["total_files"]), "Folders": str(summary["total_folders"]), "Size": "1.3 MiB",
        "On disk": cards["On disk"], "Deepest level": "3", "Files per folder": f"{summary['avg_files_per_folder']:.2f}",
        "Empty folders": "1", "Links": "0"}  # fmt: skip
    assert page.evaluate("document.getElementById('warning').hidden")
    assert column(page, "Extensions", 0) == [row["extension"] or "no extension" for row in figures["extensions"]]
    assert column(page, "Extensions", 1) == [str(row["files"]) for row in figures["extensions"]]
    assert (column(page, "Folders with most files", 0)[0], column(page, "Folders with most files", 1)[0]) == ("middle/more", "301")
    assert page.evaluate(f"({panel('Sizes')}).querySelectorAll('li').length") >= 5
    assert "below 1 KiB, 300 files, 300 B" in page.evaluate(
        f"[...({panel('Sizes')}).querySelectorAll('li')].map((each) => each.getAttribute('aria-label'))")  # fmt: skip


@needs_browser
def test_names_are_text(page):
    assert f"{MARKUP}/{MARKUP}.js" in column(page, "Largest files", 0)
    assert "in\\xffvalid\\x0a/six" in column(page, "Largest files", 0)
    assert column(page, "Empty folders", 0) == ["</script><script>pwned=1<"]
    assert page.evaluate(f"({cell(MARKUP)}) !== undefined")
    assert page.evaluate("document.images.length") == 0 and page.evaluate("document.scripts.length") == 2


@needs_browser
def test_areas_are_sizes(page, tree, figures):
    total = figures["summary"]["total_size_bytes"]
    map_area = page.evaluate("(({width, height}) => width * height)(document.getElementById('cells').getBoundingClientRect())")
    for name, size in {"big": 800_000, "middle": 200_300, "copy": 150_000}.items():
        area = page.evaluate(f"(({{width, height}}) => width * height)(({cell(name)}).getBoundingClientRect())")
        assert abs(area / map_area - size / total) < 0.01, name
    page.click("document.querySelector('#measure button:nth-child(2)')")
    assert page.evaluate("document.querySelector('#measure [aria-pressed=true]').textContent") == "Files"
    area = page.evaluate(f"(({{width, height}}) => width * height)(({cell('middle')}).getBoundingClientRect())")
    assert abs(area / map_area - 302 / figures["summary"]["total_files"]) < 0.01


@needs_browser
def test_the_map_is_clicked_into(page, tree):
    crumbs = "#crumbs button"
    assert texts(page, crumbs) == [str(tree)]
    page.click(cell("big"))
    assert texts(page, crumbs) == [str(tree), "big"]
    assert page.evaluate(f"({cell('middle')}) === undefined")
    page.click(cell("inner"))
    assert texts(page, crumbs) == [str(tree), "big", "inner"]
    assert page.evaluate(f"({cell('deeper')}).getAttribute('aria-label')") == (
        f"{tree}/big/inner/deeper, 293 KiB, 23 % of the whole, 293 KiB in 1 file, 0 folders below")  # fmt: skip
    page.click(cell("deeper"))  # has nothing in it to enter
    assert texts(page, crumbs) == [str(tree), "big", "inner"]
    page.click("document.querySelector('#crumbs button')")
    assert texts(page, crumbs) == [str(tree)]


@needs_browser
def test_the_map_has_keys(page, tree):
    focused = "document.activeElement.getAttribute('aria-label')?.split(',')[0] ?? ''"
    page.evaluate("document.querySelector('#measure button:last-child').focus()")
    page.press("Tab")
    assert page.evaluate(focused) == f"{tree}/big"
    assert page.evaluate("document.querySelectorAll('.cell[tabindex=\"0\"]').length") == 1
    assert not page.evaluate("document.getElementById('tip').hidden")
    page.press("ArrowRight")
    assert page.evaluate(focused) != f"{tree}/big"
    page.press("ArrowLeft")
    page.evaluate(f"({cell('big')}).focus()")
    page.press("Enter")
    assert texts(page, "#crumbs button") == [str(tree), "big"]
    assert page.evaluate("document.activeElement.classList.contains('cell')")
    page.press("Escape")
    assert texts(page, "#crumbs button") == [str(tree)]


@needs_browser
def test_the_tip_tells_more(page, tree):
    page.click(cell("copy"))
    assert texts(page, "#tip") == [f"{tree}/copy146 KiB, 11 % of the whole146 KiB in 1 file, 0 folders below"]


@needs_browser
def test_tables_are_sorted(page, figures):
    head = f"[...({panel('Extensions')}).querySelectorAll('th button')].find((each) => each.textContent === 'size')"
    sizes = {row["extension"] or "no extension": row["bytes"] for row in figures["extensions"]}
    page.click(head)
    assert column(page, "Extensions", 0) == sorted(sizes, key=lambda name: -sizes[name])
    assert page.evaluate(f"({head}).parentElement.getAttribute('aria-sort')") == "descending"
    page.click(head)
    assert column(page, "Extensions", 0) == sorted(sizes, key=lambda name: sizes[name])
    page.click(head.replace("'size'", "'extension'"))
    assert column(page, "Extensions", 0) == sorted(sizes)
    assert page.evaluate(f"({panel('Extensions')}).querySelectorAll('[aria-sort]').length") == 1


@needs_browser
@pytest.mark.parametrize("width", [340, 700, 1600])
def test_fits_any_width(page, width):
    page.resize(width, 800)
    page.wait("document.getElementById('cells').clientWidth > 0")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.wait("Math.max(...[...document.querySelectorAll('.cell')].map((each) => each.getBoundingClientRect().right))"
              " <= document.getElementById('cells').getBoundingClientRect().right + 1")  # fmt: skip


@needs_browser
def test_light_and_dark(browser, url):
    backs = []
    for scheme in ("light", "dark"):
        page = Page(browser, scheme=scheme).open(url)
        backs.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert page.screenshot().startswith(b"\x89PNG")
        page.close()
    assert backs[0] != backs[1]


@needs_browser
def test_the_policy_holds(browser, url):
    """Even what would get into the page could load nothing."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    there = f"http://127.0.0.1:{server.server_port}"
    page = Page(browser).open(url)
    try:
        page.evaluate(f"document.body.append(Object.assign(new Image(), {{src: '{there}/image'}}))")
        page.evaluate(f"document.head.append(Object.assign(document.createElement('script'), {{src: '{there}/script'}}))")
        assert page.evaluate(f"fetch('{there}/fetch').then(() => 'sent', () => 'refused')") == "refused"
        assert asked == []
    finally:
        page.close()
        server.shutdown()


@needs_browser
def test_a_partial_profile_says_so(run, browser, tmp_path):
    page_file = tmp_path / "page.html"
    assert run(f"--html={page_file}", "--timeout=1ms", "/usr").returncode == 1
    page = Page(browser).open(page_file.as_uri())
    assert texts(page, "#warning")[0].startswith("Partial: ") and not page.evaluate("document.getElementById('warning').hidden")
    assert page.problems == []
    page.close()


@needs_browser
@pytest.mark.parametrize("names", [[], ["empty"]])
def test_nothing_to_show(run, browser, tmp_path, names):
    (tmp_path / "tree").mkdir()
    for name in names:
        (tmp_path / "tree" / name).touch()
    assert run(f"--html={tmp_path}/page.html", tmp_path / "tree").returncode == 0
    page = Page(browser).open((tmp_path / "page.html").as_uri())
    assert page.evaluate("document.getElementById('map').hidden") == (not names)
    assert page.problems == [] and texts(page, ".card b")[0] == str(len(names))
    page.close()
