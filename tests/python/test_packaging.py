# SPDX-License-Identifier: Apache-2.0
"""The package as users get it: a source distribution, the wheel that is built from it alone, and that
installed in an environment of its own.

The wheel is built with the tools of this environment, so that nothing is downloaded. It takes one or two
minutes; TRAWL_WHEEL=FILE tests one that is there.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
pytest.importorskip("build")
pytest.importorskip("scikit_build_core")
pytest.importorskip("nanobind")


def run(*command, **options):
    # Neither the tree of the build nor a sanitizer is what users have.
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "LD_PRELOAD")}
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=environment, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def version():
    for line in (ROOT / "include/trawl/version.h").read_text().splitlines():
        if "TRAWL_VERSION_STRING " in line and "define" in line:
            return line.split('"')[1]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    # Of a copy: a build leaves things in the tree.
    work = tmp_path_factory.mktemp("sdist")
    shutil.copytree(ROOT, work / "tree", symlinks=True,
                    ignore=lambda directory, names: [name for name in names if name in (
                        "build", ".git", "__pycache__", "bench") and directory == str(ROOT)])
    run(sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", work / "dist", work / "tree")
    [archive] = (work / "dist").iterdir()
    return archive


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    if "TRAWL_WHEEL" in os.environ:
        return pathlib.Path(os.environ["TRAWL_WHEEL"])
    work = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir", work,
        sdist)
    [archive] = work.iterdir()
    return archive


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """bin/ of an environment that has nothing but the package."""
    work = tmp_path_factory.mktemp("installed") / "venv"
    run(sys.executable, "-m", "venv", work)
    run(work / "bin/python", "-m", "pip", "install", "--no-index", "--no-deps", wheel)
    return work / "bin"


def test_sdist_has_the_sources_and_no_more(sdist):
    assert sdist.name == f"trawl-{version()}.tar.gz"
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    for wanted in ("pyproject.toml", "CMakeLists.txt", "LICENSE", "README.md", "include/trawl/walk.h",
                   "src/walk/engine.cc", "src/cli/main.cc", "python/src/module.cc", "python/trawl/_native.pyi",
                   "python/trawl/py.typed", "docs/man/trawl.1"):
        assert wanted in names, wanted
    tops = {name.split("/")[0] for name in names}
    assert not tops & {"tests", "bench", "build", "dev", ".ci", ".git"}
    assert not [name for name in names if name.endswith(("_test.cc", ".pyc", ".so", ".svg"))]
    assert {name for name in names if name.startswith("python/trawl/")} == {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "python/trawl").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts}
    assert sdist.stat().st_size < 3 << 20


def test_wheel_has_what_users_need_and_no_more(wheel):
    name, release, python, abi, platform = wheel.stem.split("-")
    assert (name, release) == ("trawl", version())
    if sys.version_info >= (3, 12) and not sysconfig.get_config_var("Py_GIL_DISABLED"):
        assert (python, abi) == ("cp312", "abi3")
    else:
        assert python == f"cp3{sys.version_info.minor}"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(f"trawl-{release}.dist-info/METADATA").decode()
    package = {name for name in names if name.startswith("trawl/")}
    sources = {path.relative_to(ROOT / "python").as_posix() for path in (ROOT / "python/trawl").rglob("*")
               if path.is_file() and "__pycache__" not in path.parts}
    [module] = package - sources
    assert module.startswith("trawl/_native.abi3." if abi == "abi3" else f"trawl/_native.cpython-{python[2:]}-")
    assert sources <= package and "trawl/py.typed" in package and "trawl/_native.pyi" in package
    rest = names - package
    prefix = f"trawl-{release}."
    assert f"{prefix}data/scripts/trawl" in rest and f"{prefix}dist-info/licenses/LICENSE" in rest
    assert f"{prefix}data/data/share/man/man1/trawl.1" in rest
    for other in rest:
        assert other.startswith((f"{prefix}data/scripts/trawl", f"{prefix}data/data/share/man/man1/trawl",
                                 f"{prefix}dist-info/")), other
    assert "Requires-Python: >=3.9" in metadata and "Name: trawl\n" in metadata
    assert not [line for line in metadata.splitlines() if line.startswith("Requires-Dist") and "extra ==" not in line]
    assert wheel.stat().st_size < 5 << 20


def test_nothing_but_libc_is_needed(installed):
    [module] = (installed.parent / "lib").glob("python*/site-packages/trawl/_native.*.so")
    for binary in (module, installed / "trawl"):
        needed = {word.split(".so")[0] for word in run("ldd", binary).split() if ".so" in word and "/" not in word}
        assert needed <= {"linux-vdso", "libc", "libm", "libgcc_s", "libpthread", "ld-linux-x86-64"}, binary


def test_installed_command(installed, tmp_path):
    assert version() in run(installed / "trawl", "--version")
    (tmp_path / "file").touch()
    assert run(installed / "trawl", "find", "", tmp_path).split() != []
    assert run(installed / "trawl", "du", "-s", tmp_path).endswith(f"{tmp_path}\n")


def test_installed_package(installed, tmp_path):
    (tmp_path / "directory").mkdir()
    (tmp_path / "directory" / "file").touch()
    script = f"""
import os, trawl
from trawl import _native
assert os.path.dirname(_native.__file__).startswith({str(installed.parent)!r})
assert _native.__version__ == {version()!r}
print(sorted(_native.scan_table([{os.fsencode(tmp_path)!r}]).paths()))
print(_native.PathFilter(exclude=[b"*.o"]).match(b"x.o", False)[0])
print(_native.profile({os.fsencode(tmp_path)!r})["summary"]["total_files"])
"""
    assert run(installed / "python", "-I", "-c", script) == (
        f"{[str(tmp_path), f'{tmp_path}/directory', f'{tmp_path}/directory/file']}\nignored\n1\n")


def test_what_is_missing_is_named(tmp_path):
    done = subprocess.run(["cmake", "-S", ROOT, "-B", tmp_path, "-DTRAWL_BUILD_PYTHON=ON", "-DTRAWL_BUILD_TESTS=OFF",
                           "-DTRAWL_RE2_INCLUDE_DIR=TRAWL_RE2_INCLUDE_DIR-NOTFOUND", "-DCMAKE_FIND_ROOT_PATH=/nowhere",
                           "-DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY", "-DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY",
                           f"-DPython_EXECUTABLE={sys.executable}"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode != 0 and "libre2-dev" in done.stdout, done.stdout
