# SPDX-License-Identifier: Apache-2.0
"""Command lines of du, right and wrong: both streams and the status are GNU du's."""

import os
import pathlib
import shlex
import shutil
import subprocess

import pytest

# One command line each, as a shell splits it; run in a directory with the files of `place`.
LINES = r"""
--time=x
--time-style=foo --time
--time-style=foo
--time-style=full-iso --time -a
--time=atime --time-style=+%Y%j%N
--time --time-style='+%3N|%-N|%:z|%::z|%:::z|%z|%10Y|%_d|%^a|%%|%'
--time --time-style=iso
--time-style=posix-iso --time
--time=
--time=a
--time=c
--time=use -a
--time=modification
-B x1
-B 0
-B ''
-B K
-B KB
-B kiB -s
-B KiB
-B KD -s
-B MB
-B 1kB
-B "'1"
-B M -a
-B human
-B s
-B 1E
-B 1Y
-B 16E
-B 3 --inodes
-B e
-B 1e
-B 1p
-B k -s
-B 1b
-B 010
-B 0x10
-B ' 5'
-B +5
-B -5
-B 99999999999999999999999
-B 99999999999999999999999x
--block-size=1x
--block-size
--bl=0
-t x
-t ''
-t -0
-t 0
-t 5b
-t 1Kx
-t 10000
-t -10000
-t 10K -a
-t 1 --inodes
--threshold=1q
--threshold=-1K -a
-d x
-d ''
-d 1x
-d1
-d 2 -a
-d 99999999999999999999
--max-depth=-1
--max=1 sub
-Q
--foo
--ti
--time-s
--e
--d
--n
--t
--thr=1
--th 1
--inode
--tot sub
-B
--all=3
-sa
-s -d1
-s -d0
-X /nonexistent
-X patterns -a
--exclude-from=patterns -a
--exclude=sub
--exclude=./sub
--exclude='*.txt' -a
--exclude='s*/*.txt' -a
--exclude='a\*b' -a
--files0-from=/nonexistent
--files0-from=- operand
--files0-from=names
--files0-from=names -c -a
--files0-from=-
--files0-from=/
-s --files0-from=names
--inodes
--inodes -b
--inodes -h -a
-h
--si
--si -h -k
-a
-b
-ab
-c . sub
-S
-Sc
-k
-m
-0
-a0
--apparent-size -h
-l
-L -a
-D link
-H link
-P link
-P -L -a
link
link/
-x
nothing
/root/../nothing sub
-- -x
'a b' "it's" 'it'"'"'s $' é 'a:b' '$x' '~' 'a~' '#' '{' '{a' ''
one.txt --foo
one.txt one.txt
sub sub
sub . sub/inner
sub// sub///
''
"""

ENVIRONMENTS = [
    {"LC_ALL": "C"},
    {"LC_ALL": "C.UTF-8"},
]

MORE_ENVIRONMENTS = [
    {name: value}
    for name in ("DU_BLOCK_SIZE", "BLOCK_SIZE", "BLOCKSIZE")
    for value in ("1", "K", "h", "si", "x", "0", "512", "'1", "MB", "", "1x", "-1")
] + [{"TIME_STYLE": value}
     for value in ("full-iso", "posix-iso", "posix-posix-iso", "+%Y", "+%Y\n%m", "locale", "foo", "")]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("place")
    (root / "sub" / "inner").mkdir(parents=True)
    for name, size in {"one.txt": 10, "sub/two.txt": 70000, "sub/inner/three": 1, "a*b": 5000}.items():
        (root / name).write_bytes(b"x" * size)
    (root / "link").symlink_to("sub")
    (root / "patterns").write_text("one*  \n\n  \ninner\n")
    (root / "names").write_bytes(b"sub\0one.txt\0\0-\0sub/inner\0nothing\0sub//\0last")
    for path in (root / "sub", root / "one.txt"):
        os.utime(path, ns=(1_600_000_000_000_000_001, 1_500_000_000_123_456_789))
    return root


@pytest.fixture(scope="module")
def du(tmp_path_factory, trawl_path):
    link = tmp_path_factory.mktemp("bin") / "du"
    link.symlink_to(trawl_path)
    return str(link)


def outcome(program, arguments, place, env):
    result = subprocess.run([program, *arguments], cwd=place, stdin=subprocess.DEVNULL, timeout=60,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env={"PATH": os.environ["PATH"], "TZ": "Asia/Kolkata", **env})
    return result.stdout, result.stderr.replace(program.encode(), b"du"), result.returncode


@pytest.mark.parametrize("env", ENVIRONMENTS, ids=lambda env: env["LC_ALL"])
@pytest.mark.parametrize("line", LINES.strip().splitlines())
def test_command_line(du, place, line, env):
    arguments = shlex.split(line)
    assert outcome(du, arguments, place, env) == outcome("/usr/bin/du", arguments, place, env)


@pytest.mark.parametrize("env", MORE_ENVIRONMENTS, ids=str)
@pytest.mark.parametrize("line", ["-s", "-s --time", "-s -B 2"])
def test_environment(du, place, line, env):
    arguments = line.split()
    assert outcome(du, arguments, place, env) == outcome("/usr/bin/du", arguments, place, env)


@pytest.mark.parametrize("line", ["-s", "sub -s", "-s -B 0", "sub --max-depth 0"])
def test_posixly_correct(du, place, line):
    env = {"POSIXLY_CORRECT": "1"}
    arguments = line.split()
    assert outcome(du, arguments, place, env) == outcome("/usr/bin/du", arguments, place, env)


def test_names_in_messages(du, place):
    names = [b"new\nline", b"\xff", b"a\xffb'c", b"tab\t", b"it's\n", b"\xc3", b"\xe2\x80\x98q\xe2\x80\x99",
             b"\x7f", b"back\\slash", b"'", b"''", b'"', b"'\"", b"?", b"a?", b"-x", b"\xc2\xa0", b"\x01'",
             b"\n'\n", b"x'y\n", b"'x\xff", b"\xff'\xff"]
    for env in ENVIRONMENTS:
        arguments = ["--", *map(os.fsdecode, names)]
        assert outcome(du, arguments, place, env) == outcome("/usr/bin/du", arguments, place, env)


def test_our_options_do_not_take_gnus_words(trawl_path, place):
    """Every beginning of each long option of GNU's means to us what it means to GNU du."""
    words = ["all", "apparent-size", "block-size", "bytes", "count-links", "dereference",
             "dereference-args", "exclude", "exclude-from", "files0-from", "human-readable", "inodes",
             "si", "max-depth", "null", "no-dereference", "one-file-system", "separate-dirs",
             "summarize", "total", "threshold", "time", "time-style"]
    for word in words:
        for end in range(1, len(word) + 1):
            for suffix in ("", "=1"):
                arguments = ["du", "--" + word[:end] + suffix, "one.txt"]
                ours = subprocess.run([trawl_path, *arguments], cwd=place, capture_output=True,
                                      stdin=subprocess.DEVNULL, timeout=60)
                gnus = subprocess.run(arguments, cwd=place, capture_output=True,
                                      stdin=subprocess.DEVNULL, timeout=60)
                assert (ours.stdout, ours.returncode) == (gnus.stdout, gnus.returncode), arguments
                assert ours.stderr.replace(b"trawl du", b"du") == gnus.stderr, arguments


CATALOGUES = pathlib.Path("/usr/share/locale")
LANGUAGES = sorted(path.parents[1].name for path in CATALOGUES.glob("*/LC_MESSAGES/coreutils.mo"))


@pytest.fixture(scope="module")
def endless():
    """A directory whose apparent size is beyond 64 bits."""
    root = pathlib.Path("/dev/shm") / f"trawl-{os.getpid()}"
    root.mkdir()
    try:
        for i in range(3):
            with open(root / f"{i}", "wb") as file:
                file.truncate(2**63 - 1)
        yield root
    except OSError as error:
        pytest.skip(f"no file is that large here: {error}")
    finally:
        shutil.rmtree(root)


@pytest.mark.skipif(not LANGUAGES, reason="GNU du speaks English only here")
def test_words_on_standard_output_are_translated(du, place, endless):
    words = set()
    for language in LANGUAGES:
        env = {"LC_ALL": "C.UTF-8", "LANGUAGE": language}
        for arguments in (["-cs", "sub"], ["-bs", str(endless)]):
            ours = outcome(du, arguments, place, env)
            assert ours == outcome("/usr/bin/du", arguments, place, env), env
            words.add(ours[0].split()[-1] if "-cs" in arguments else ours[0].split()[0])
    assert len(words) > 2 or len(LANGUAGES) < 3
    english = outcome(du, ["-cs", "sub"], place, {"LC_ALL": "C", "LANGUAGE": LANGUAGES[0]})
    assert english[0].endswith(b"\ttotal\n")


@pytest.mark.parametrize("charset", ["UTF-8", "CP1251"])
@pytest.mark.skipif("bg" not in LANGUAGES, reason="GNU du does not speak Bulgarian here")
def test_words_are_in_the_locales_characters(du, place, tmp_path, charset):
    made = subprocess.run(["localedef", "-i", "bg_BG", "-f", charset, tmp_path / f"bg_BG.{charset}"],
                          capture_output=True) if shutil.which("localedef") else None
    if made is None or made.returncode != 0:
        pytest.skip("no locale can be made here")
    env = {"LC_ALL": f"bg_BG.{charset}", "LOCPATH": str(tmp_path)}
    ours = outcome(du, ["-cs", "sub"], place, env)
    assert ours == outcome("/usr/bin/du", ["-cs", "sub"], place, env)
    assert ours[0].endswith("\tобщо\n".encode(charset))
