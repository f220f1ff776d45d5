# SPDX-License-Identifier: Apache-2.0
"""Completions and manuals name the options that --help names, no others; shells really complete.

The parser must know what --help names; so all of them agree. That they are what the tables of options
give is the test docs.generated.
"""

import os
import pathlib
import re
import shlex
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPLETIONS = ROOT / "completions"
COMMANDS = {name: [] if name == "picture" else [name] for name in ("picture", "du", "find", "ignored", "list", "profile", "stat")}

LONG = re.compile(r"(?<![\w-])--([a-z0-9][a-z0-9-]*)")
SHORT = re.compile(r"(?<![\w-])-([A-Za-z0-9])(?![\w-])")


def run(arguments, **options):
    options.setdefault("timeout", 60)
    return subprocess.run(arguments, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)


def test_no_command_is_missing_here(trawl_path):
    usage = run([trawl_path, "--help"]).stdout
    assert re.findall(r"^  or:  trawl (\w+) ", usage, re.MULTILINE) == [name for name in COMMANDS if name != "picture"]


@pytest.fixture(params=COMMANDS)
def command(request):
    return request.param


@pytest.fixture
def help_lines(trawl_path, command):
    """What stands before the description in the lines of options."""
    text = run([trawl_path, *COMMANDS[command], "--help"]).stdout
    lines = re.findall(r"^ +(-.*?)(?:  .*)?$", text, re.MULTILINE)
    assert len(lines) > 8
    return "\n".join(lines)


def options_in(text):
    return set(LONG.findall(text)), set(SHORT.findall(text))


@pytest.fixture
def long_options(help_lines):
    return options_in(help_lines)[0]


@pytest.fixture
def all_options(help_lines):
    return options_in(help_lines)


def test_the_parser_knows_them(trawl_path, command, all_options, tmp_path):
    long, short = all_options
    for option in [f"--{name}" for name in long] + [f"-{letter}" for letter in short]:
        message = run([trawl_path, *COMMANDS[command], option, "--version"], cwd=tmp_path).stderr
        assert not re.search("unrecognized|ambiguous|invalid option", message), option


# --- manuals ---------------------------------------------------------------------------------------

PAGES = {name: ROOT / f"docs/man/{'-'.join(['trawl', *words])}.1" for name, words in COMMANDS.items()}


def test_the_manual_has_them(command, all_options):
    page = PAGES[command].read_text()
    section = re.search(r"^\.SH OPTIONS\n(.*?)^\.SH ", page, re.DOTALL | re.MULTILINE).group(1)
    tags = "\n".join(re.findall(r"^\.TP\n(.*)$", section, re.MULTILINE))
    assert options_in(re.sub(r"\\f.", " ", tags).replace(r"\-", "-")) == all_options


@pytest.mark.skipif(not shutil.which("groff"), reason="no groff")
def test_the_manual_is_well_formed(command):
    result = run(["groff", "-man", "-Tutf8", "-ww", PAGES[command]])
    assert result.returncode == 0 and result.stderr == ""


# --- zsh and fish ----------------------------------------------------------------------------------


def test_zsh_has_them(command, all_options):
    text = (COMPLETIONS / "_trawl").read_text()
    body = re.search(rf"^_trawl_{command}\(\) {{\n *_arguments -s -S(.*?)^}}", text, re.DOTALL | re.MULTILINE)
    assert options_in(re.sub(r"\[[^]]*\]|_values -s|\+", "", body.group(1))) == all_options


def test_fish_has_them(command, all_options):
    def is_for_it(line):
        condition = re.search(r" -n '__trawl_is(_not)? ([a-z ]+)'", line)
        return condition is not None and (command in condition[2].split()) != bool(condition[1])

    lines = [line for line in (COMPLETIONS / "trawl.fish").read_text().splitlines()
             if line.startswith("complete -c trawl") and is_for_it(line)]
    text = re.sub(r" -[ad] ('([^'\\]|\\.)*'|\S+)", "", "\n".join(lines))
    assert (set(re.findall(r" -l (\S+)", text)), set(re.findall(r" -s (\S)", text))) == all_options


@pytest.mark.parametrize("shell, file", [("zsh", "_trawl"), ("fish", "trawl.fish"), ("bash", "trawl.bash")])
def test_the_shell_parses_it(shell, file):
    if not shutil.which(shell):
        pytest.skip(f"no {shell}")
    result = run([shell, "-n", COMPLETIONS / file])
    assert result.returncode == 0 and result.stderr == ""


# Types the third argument and a tabulator, and writes what is offered to the second; the first is the
# directory of _trawl.
ZSH = r"""
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; fpath=(${(q)1} \$fpath); autoload -Uz compinit; compinit -D -u"
zpty -w shell 'compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
  local -a offered; builtin compadd -A offered "$@"
  print -rl -- $offered >>'${(q)2}'
}; print ready >'${(q)2}
while [[ ! -s $2 ]]; do sleep 0.02; done
zpty -n -w shell "$3"$'\t'$'\C-U'"print END >>${(q)2}"$'\n'
while [[ $(<$2) != *END* ]]; do sleep 0.02; done
zpty -d shell
"""


@pytest.mark.skipif(not shutil.which("zsh"), reason="no zsh")
@pytest.mark.parametrize("line, expected", [
    ("list --or", "--order"),
    ("list --order=rs", "rsync rsync28"),
    ("list --type=f,", "b c d l p s"),
    ("list --follow=", "all never roots"),
    ("he", "help"),
    ("help ", "du find ignored list profile stat"),
    ("du --sum", "--summarize"),
    ("du -a --sum", ""),
    ("du --dep", ""),
    ("--dep", "--depth"),
    ("--exclude a --exclude-f", "--exclude-from"),
    ("--exclude-from a --exclude-f", "--exclude-from"),
    ("stat -L f", "file"),
    ("--exclude-from=f", "file"),
])
def test_zsh_completes(tmp_path, line, expected):
    (tmp_path / "file").write_text("")
    offers = tmp_path / "offers"
    run(["zsh", "-f", "-c", ZSH, "zsh", COMPLETIONS, offers, f"trawl {line}"], cwd=tmp_path)
    words = offers.read_text().split("\n")
    assert sorted(set(words) - {"ready", "END", ""}) == expected.split()


@pytest.mark.skipif(not shutil.which("fish"), reason="no fish")
@pytest.mark.parametrize("line, expected", [
    ("list --or", "--order"),
    ("list --order=rs", "--order=rsync --order=rsync28"),
    ("list --type=f,p", "--type=f,p"),
    ("list --follow=", "--follow=all --follow=never --follow=roots"),
    ("he", "help"),
    ("help ", "du find ignored list profile stat"),
    ("du --sum", "--summarize"),
    ("du --dep", ""),
    ("--dep", "--depth"),
    ("stat -L f", "file"),
])
def test_fish_completes(tmp_path, line, expected):
    (tmp_path / "file").write_text("")
    script = f"source {COMPLETIONS}/trawl.fish; complete -C {shlex.quote('trawl ' + line)}"
    offers = run(["fish", "--no-config", "-c", script], cwd=tmp_path).stdout
    assert sorted(offer.split("\t")[0] for offer in offers.splitlines()) == expected.split()


# --- bash ------------------------------------------------------------------------------------------

# As readline calls it: the function that `complete` has been told, with the words up to the cursor.
COMPLETE = r"""
source "$1"; shift
[[ $(complete -p trawl) =~ -F\ ([^ ]+) ]] || exit 1
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
"${BASH_REMATCH[1]}" trawl "${@: -1}" "${@: -2:1}"
printf '%s\0' "${COMPREPLY[@]}"
"""


@pytest.fixture
def complete(tmp_path):
    (tmp_path / "some dir").mkdir()
    (tmp_path / "file").write_text("")

    def complete(*words):
        result = run(["bash", "--norc", "-c", COMPLETE, "bash", COMPLETIONS / "trawl.bash", "trawl", *words],
                     cwd=tmp_path, env={"PATH": os.environ["PATH"], "LC_ALL": "C"})
        assert result.returncode == 0 and result.stderr == ""
        return sorted(word for word in result.stdout.split("\0") if word)

    return complete


def test_bash_completes_every_option(complete, command, long_options):
    offered = complete(*COMMANDS[command], "--")
    assert {word[2:].rstrip("=") for word in offered} == long_options


def test_bash_puts_an_equals_sign_where_an_argument_follows(complete, trawl_path, command, tmp_path):
    for word in complete(*COMMANDS[command], "--"):
        name = word.rstrip("=")
        argument = f"{name}=x" if word.endswith("=") else name
        message = run([trawl_path, *COMMANDS[command], argument], cwd=tmp_path).stderr
        assert not re.search("doesn't allow an argument|requires an argument", message), word


@pytest.mark.parametrize("words, expected", [
    (["--dep"], ["--depth="]),
    (["du", "--max"], ["--max-depth="]),
    (["du", "--depth"], []),
    (["d"], ["du"]),
    (["h"], ["help"]),
    (["l"], ["list"]),
    (["help", ""], ["du", "find", "ignored", "list", "profile", "stat"]),
    (["st"], ["stat"]),
    (["stat", "--files-from=f"], ["--files-from=file"]),
    (["stat", "-c", ""], []),
    (["stat", "--fields", ""], []),
    (["stat", "-L", ""], ["file", "some dir"]),
    (["list", "--order=r"], ["--order=rsync", "--order=rsync28"]),
    (["list", "--stat", "a"], ["all"]),
    (["list", "--type=f,"], [f"--type=f,{letter}" for letter in "bcdflps"]),
    (["list", "--follow", "=", "r"], ["roots"]),
    (["list", "--type", "="], ["b", "c", "d", "f", "l", "p", "s"]),
    (["list", "--format", ""], []),
    (["list", "-x", ""], ["file", "some dir"]),
    (["--sort=n"], ["--sort=name"]),
    (["--sort", "=", "n"], ["name"]),
    (["--sort", "="], ["count", "name", "size"]),
    (["--sort", "c"], ["count"]),
    (["profile", "--sections=sizes,o"], ["--sections=sizes,oldest", "--sections=sizes,owners"]),
    (["--color", "f"], ["file"]),  # the argument is optional: only behind '='
    (["--color", "=", "a"], ["always", "auto"]),
    (["--progress=n"], ["--progress=never"]),
    (["du", "--time", "=", "c"], ["ctime"]),
    (["du", "--time-style", "f"], ["full-iso"]),
    (["du", "-sB", "h"], ["human-readable"]),
    (["du", "-d", ""], []),
    (["-d", ""], []),
    (["-xX", ""], ["file", "some dir"]),
    (["du", "--files0-from", "="], ["file", "some dir"]),
    (["--exclude-from=f"], ["--exclude-from=file"]),
    (["--exclude", ""], []),
    (["so"], ["some dir"]),
    (["du", "-s", ""], ["file", "some dir"]),
    (["du", "--", "--"], []),
    (["--", "--sort", ""], ["file", "some dir"]),
])
def test_bash_completes(complete, words, expected):
    assert complete(*words) == expected
