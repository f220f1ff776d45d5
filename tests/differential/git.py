# SPDX-License-Identifier: Apache-2.0
"""Random git repositories with ignore rules of every form, from a seed; and git to ask about them.

Names come from few, so that rules and paths meet often. Paths kept here are bytes, relative to the
top. Configuration is the test's alone.
"""

import os
import shutil
import subprocess

NAMES = [
    b"a", b"b", b"c", b"d", b"A", b"B", b"ab", b"ba", b"abc", b"foo", b"Foo", b"bar", b"a.o", b"b.o", b"x.c",
    b"foo.txt", b"foo.tar.gz", b".x", b".foo", b"build", b"Build", b"a-b", b"a_b", b"1", b"12", b"...", b"..a",
]  # fmt: skip
ODD_NAMES = [
    b"a b", b" a", b"a ", b"a  ", b"#a", b"!a", b"!", b"#", b"*", b"?", b"a*", b"[a]", b"[", b"]", b"a]", b"\\",
    b"a\\", b"\\a", b"a\\b", b"-", b"--", b"-v", b"{a,b}", b"\xff", b"a\xffb", b"\xc3\xbc", b"\xc3\x9c",
    b"\xe2\x82\xac", b"tab\t", b"\t", b"a\r", b"\r", b"\x01", b"\x7f", b'"', b'"a"', b'a"', b"'", b"^", b"a^b", b"~",
    b"$a", b"a:b", b"\xef\xbb\xbf", b"\xef\xbb\xbfa", b"**", b"a\vb", b"@", b"`", b"%s", b"x" * 200,
]  # fmt: skip
# In input and output that goes by lines these have to be quoted.
LINE_NAMES = [b"a\nb", b"\n", b"a\n", b'"\n']

WILD = set(b"*?[\\")


def is_empty_rule(line):
    """A rule with an empty name at its end. Git compares that with what is behind a path's last slash; it
    matters to paths with a slash at their end only, and there trawl means the directory."""
    text = line.split(b"\0")[0]
    return line != b"" and (text.strip(b"!/ \r\xef\xbb\xbf") == b"" or b"//" in text)


class Repository:
    def __init__(self, rng, top, home, sha256=False, most_rules=60):
        self.rng = rng
        self.most_rules = most_rules  # of a .gitignore
        self.top = top
        self.home = home
        self.odd = rng.choice([0.0, 0.05, 0.3])  # names and rules
        self.sha256 = sha256
        self.has_empty_rules = False
        self.names = rng.sample(NAMES, rng.choice([3, 6, len(NAMES)]))
        self.directories = [b""]
        self.files = []
        self.links = []
        self.environment = {
            "PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": os.fsdecode(home), "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.fsdecode(os.path.join(home, b"config")),
        }  # fmt: skip

    # --- tools -------------------------------------------------------------------------------------

    def git(self, *arguments, cwd=b"", **options):
        done = subprocess.run(["git", *arguments], cwd=self.path(cwd), env=self.environment, capture_output=True,
                              timeout=120, **options)  # fmt: skip
        if done.returncode != 0:
            raise AssertionError(f"git {arguments}: {done.stderr!r}")
        return done.stdout

    def path(self, relative):
        return os.path.join(self.top, relative) if relative else self.top

    # --- names and paths ---------------------------------------------------------------------------

    def name(self):
        if self.rng.random() < self.odd:
            return self.rng.choice(ODD_NAMES if self.rng.random() < 0.95 else LINE_NAMES)
        return self.rng.choice(self.names)

    def some_path(self):
        """Of something that may exist."""
        rng = self.rng
        r = rng.random()
        if r < 0.3 and self.files:
            return rng.choice(self.files)
        if r < 0.5:
            path = rng.choice(self.directories)
            return path or self.name()
        base = rng.choice(self.directories) if r < 0.8 else b""
        return os.path.join(base, *[self.name() for _ in range(rng.choice([1, 1, 1, 2, 3]))])

    def beyond_link(self, path):
        parts = path.split(b"/")
        return any(os.path.islink(self.path(b"/".join(parts[:i]))) for i in range(1, len(parts)))

    # --- building ----------------------------------------------------------------------------------

    def build(self):
        rng = self.rng
        os.mkdir(self.top)
        os.mkdir(self.home)
        self.write_config()
        self.git("init", "-q", *(["--object-format=sha256"] if self.sha256 else []))
        for _ in range(rng.choice([0, 2, 6, 15])):
            self.make_directory()
        for _ in range(rng.choice([0, 3, 10, 25]) if self.most_rules > 10 else 60):
            self.make_file()
        for _ in range(rng.choice([0, 0, 1, 3])):
            self.make_link()
        self.write_rules()
        return self

    def make_directory(self):
        path = os.path.join(self.rng.choice(self.directories), self.name())
        if len(path) < 1000 and not os.path.lexists(self.path(path)):
            os.mkdir(self.path(path))
            self.directories.append(path)

    def make_file(self):
        path = os.path.join(self.rng.choice(self.directories), self.name())
        if not os.path.lexists(self.path(path)):
            with open(self.path(path), "wb"):
                pass
            self.files.append(path)

    def make_link(self):
        path = os.path.join(self.rng.choice(self.directories), self.name())
        if not os.path.lexists(self.path(path)):
            target = self.rng.choice([b".", b"nowhere", self.path(self.rng.choice(self.directories))])
            os.symlink(target, self.path(path))
            self.files.append(path)
            self.links.append(path)

    def write_config(self):
        rng = self.rng
        home = self.home
        kind = rng.choice(["none", "absolute", "tilde", "repository", "default", "relative"])
        self.global_rules = None
        lines = []
        if kind == "default":
            self.global_rules = os.path.join(home, b".config/git/ignore")
        elif kind != "none":
            self.global_rules = os.path.join(home, b"global rules")
        text = {"absolute": b'"' + home + b'/global rules"', "tilde": b"~/global rules",
                "repository": b"~/global rules", "relative": b"../home/global rules"}.get(kind)  # fmt: skip
        self.config_of_repository = []
        if text is not None:
            line = [b"[core]\n\texcludesFile = " + text + b"\n"]
            if kind == "repository":
                self.config_of_repository = line
            else:
                lines += line
        self.ignore_case = rng.choice([None, None, "true", "true", "false"])
        if self.ignore_case is not None and rng.random() < 0.5:
            # git init writes it only where the filesystem is such.
            lines.append(b"[Core] ignorecase=" + self.ignore_case.encode() + b" ; so\n")
        elif self.ignore_case is not None:
            self.config_of_repository.append(b'[CORE]\n  IgnoreCase = "' + self.ignore_case.encode() + b'"\n')
        with open(os.path.join(home, b"config"), "wb") as file:
            file.write(b"".join(lines))

    def write_rules(self):
        rng = self.rng
        with open(self.path(b".git/config"), "ab") as file:
            file.write(b"".join(self.config_of_repository))
        if rng.random() < 0.4:
            self.write(self.path(b".git/info/exclude"), self.rules(rng.choice([1, 3])))
        if self.global_rules is not None:
            os.makedirs(os.path.dirname(self.global_rules), exist_ok=True)
            self.write(self.global_rules, self.rules(rng.choice([1, 3])))
        chance = rng.choice([0.1, 0.4, 0.9])
        for directory in self.directories:
            if directory == b"" or rng.random() < chance:
                self.write_gitignore(os.path.join(self.path(directory), b".gitignore"))

    def write_gitignore(self, path):
        rng = self.rng
        if os.path.lexists(path):
            return
        r = rng.random()
        if r < 0.02:
            os.mkdir(path)
        elif r < 0.04:
            self.write(os.path.join(self.home, b"linked"), self.rules(3))
            os.symlink(os.path.join(self.home, b"linked"), path)
        else:
            self.write(path, self.rules(min(self.most_rules, rng.choice([0, 1, 2, 4, 8, 20, 60]))))
            self.files.append(os.path.relpath(path, self.top))

    @staticmethod
    def write(path, text):
        with open(path, "wb") as file:
            file.write(text)

    # --- rules -------------------------------------------------------------------------------------

    def rules(self, count):
        rng = self.rng
        text = b"\xef\xbb\xbf" if rng.random() < 0.03 else b""
        end = b"\r\n" if rng.random() < 0.05 else b"\n"
        for _ in range(count):
            text += self.rule() + end
        if rng.random() < 0.2:
            text = text[: -len(end)]
        self.has_empty_rules = self.has_empty_rules or any(map(is_empty_rule, text.split(b"\n")))
        return text

    def rule(self):
        rng = self.rng
        r = rng.random()
        if r < 0.002:
            return rng.choice([b"/", b"!", b"!/", b"//", b" ", b"\0"])
        if r < 0.04:
            return rng.choice([b"", b"#", b"# a", b"*", b"!*", b"/*", b"!*/", b"*/", b"**", b"/**", b"**/", b"\\",
                               b"\\ ", b"!!a", b"\\!a", b"\\#a", b"/.", b"..", b"***", b"a/**/**/b", b"!/*/", b"!**/",
                               ])  # fmt: skip
        if r < 0.3:
            body = rng.choice(self.files or [b"a"])
            if rng.random() < 0.4:
                body = os.path.basename(body)
        else:
            parts = [self.name() for _ in range(rng.choice([1, 1, 1, 2, 2, 3]))]
            body = b"/".join(parts)
        if rng.random() < 0.4 + self.odd:
            body = b"/".join(self.wildcard(part) for part in body.split(b"/"))
        rule = rng.choice([b"", b"", b"/", b"**/", b"*/" if rng.random() < 0.3 else b""]) + body
        rule += rng.choice([b"", b"", b"", b"/", b"/", b"/**", b"/*" if rng.random() < 0.5 else b""])
        if rng.random() < self.odd:
            rule += rng.choice([b" ", b"  ", b"\\ ", b"\\  ", b"\t", b"\\", b"\r", b"\\\\ ", b"\0x", b"/ "])
        if rng.random() < 0.25:
            rule = b"!" + rule
        return rule

    def wildcard(self, part):
        rng = self.rng
        kind = rng.randrange(14)
        at = rng.randrange(len(part) + 1) if part else 0
        if kind == 0:
            return b"*"
        if kind == 1:
            return b"*" + part[at:]
        if kind == 2:
            return part[:at] + b"*"
        if kind == 3:
            return part[:at] + b"*" + part[min(len(part), at + 1) :]
        if kind == 4 and part:
            return part[: at - 1 if at else 0] + b"?" + part[max(at, 1) :]
        if kind == 5 and part:
            i = rng.randrange(len(part))
            return part[:i] + self.bracket(part[i : i + 1]) + part[i + 1 :]
        if kind == 6:
            return part[:at] + b"\\" + part[at:]
        if kind == 7:
            return b"**"
        if kind == 8:
            return part[:at] + b"**" + part[at:]
        if kind == 9:
            return b"*" + part[:at] + b"*"
        if kind == 10:
            return part.swapcase()
        if kind == 11:
            return part[:at] + b"[" + part[at:]
        if kind == 12:
            return b"".join(b"\\" + bytes([c]) for c in part)
        return b"?" * len(part)

    def bracket(self, c):
        rng = self.rng
        classes = rng.choice(["alpha", "digit", "lower", "upper", "space", "punct", "alnum", "graph", "print", "cntrl",
                              "xdigit", "blank", "word", ""]).encode()  # fmt: skip
        return rng.choice([
            b"[" + c + b"]", b"[!" + c + b"]", b"[^" + c + b"]", b"[a-c]", b"[A-C]", b"[!a-c]", b"[c-a]",
            b"[[:" + classes + b":]]", b"[![:" + classes + b":]]", b"[]" + c + b"]", b"[" + c + b"-]", b"[-" + c + b"]",
            b"[\\" + c + b"]", b"[" + c, b"[/]", b"[!/]", b"[a-\\c]", b"[]-a]", b"[[:" + classes + b"]", b"[\x80-\xff]",
        ])  # fmt: skip

    # --- what is tracked ---------------------------------------------------------------------------

    def track(self):
        """Puts some of the files into the index; which one gets to be of a random version."""
        rng = self.rng
        self.git("config", "index.version", str(rng.choice([2, 3, 4])))
        files = [f for f in self.files if not self.beyond_link(f) and rng.random() < 0.4]
        if not files:
            return
        listed = b"\0".join(files) + b"\0"
        new = rng.random()
        if new < 0.3:
            self.git("--literal-pathspecs", "-c", "core.ignoreCase=false", "add", "-f", "-N", "--pathspec-from-file=-",
                     "--pathspec-file-nul", input=listed)  # fmt: skip
        else:
            self.git("update-index", "--add", "-z", "--stdin", input=listed)
            if new < 0.5:
                self.git("update-index", "--skip-worktree", "-z", "--stdin", input=b"\0".join(files[::2]) + b"\0")
        for path in files:
            if rng.random() < 0.1 and os.path.basename(path) != b".gitignore":
                os.unlink(self.path(path))

    def remove(self):
        shutil.rmtree(self.top, ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)


def quoted(name):
    """A path as git quotes it, and some bytes that need it not."""
    out = b'"'
    letters = {7: b"a", 8: b"b", 9: b"t", 10: b"n", 11: b"v", 12: b"f", 13: b"r", 34: b'"', 92: b"\\"}
    for c in name:
        if c in letters:
            out += b"\\" + letters[c]
        elif c < 32 or c >= 127:
            out += b"\\%03o" % c
        else:
            out += bytes([c])
    return out + b'"'
