# SPDX-License-Identifier: Apache-2.0
"""The examples of python/README.md and docs/python.md run, one after the other, in one directory.

A first line `# needs: NAME…` leaves a block out where one of these is not installed.
"""

import importlib.util
import pathlib
import re
import subprocess
import warnings

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def blocks(document):
    text = (ROOT / document).read_text()
    for match in re.finditer(r"^```python\n(.*?)^```$", text, re.M | re.S):
        line = text[: match.start()].count("\n") + 2
        yield line, match[1]


@pytest.fixture
def project(tmp_path, monkeypatch):
    root = tmp_path / "project"
    for name in ("src", "node_modules/x", "build"):
        (root / name).mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    (root / ".gitignore").write_text("*.o\n")
    for name in ("a.c", "a.o", "src/b.c", "node_modules/x/index.js", "build/out", "keep.tmp"):
        (root / name).write_text(name * 100)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("document", ["python/README.md", "docs/python.md"])
def test_examples(document, engine, project, monkeypatch, capsys):
    monkeypatch.setenv("TRAWL_IMPLEMENTATION", engine)
    names = {"__name__": "example"}
    count = 0
    for line, code in blocks(document):
        needed = re.match(r"# needs: (.*)\n", code)
        if needed and not all(map(importlib.util.find_spec, needed[1].split())):
            warnings.warn(f"{document}:{line} left out: {needed[1]} not installed", stacklevel=1)
            continue
        padded = "\n" * (line - 1) + code  # so that a traceback has the document's lines
        exec(compile(padded, str(ROOT / document), "exec"), names)
        count += 1
    assert count >= 6
