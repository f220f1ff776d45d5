# SPDX-License-Identifier: Apache-2.0
"""Random command lines for du: every option that GNU du has, in every form that it takes them, mostly
sensible and sometimes not, with operands from a tree and around it."""

import os

from differential.du import Invocation, everyone

# Long options of GNU du and whether they take an argument.
LONG = {
    "all": False, "apparent-size": False, "block-size": True, "bytes": False, "count-links": False,
    "dereference": False, "dereference-args": False, "exclude": True, "exclude-from": True,
    "files0-from": True, "human-readable": False, "inodes": False, "si": False, "max-depth": True,
    "null": False, "no-dereference": False, "one-file-system": False, "separate-dirs": False,
    "summarize": False, "total": False, "threshold": True, "time": None, "time-style": True,
    "help": False, "version": False,
}  # fmt: skip

FLAGS = [
    ("-0", "--null"), ("-a", "--all"), (None, "--apparent-size"), ("-b", "--bytes"), ("-c", "--total"),
    ("-D", "--dereference-args"), ("-H", None), ("-h", "--human-readable"), (None, "--inodes"), ("-k", None),
    ("-L", "--dereference"), ("-l", "--count-links"), ("-m", None), ("-P", "--no-dereference"),
    ("-S", "--separate-dirs"), (None, "--si"), ("-s", "--summarize"), ("-x", "--one-file-system"),
]  # fmt: skip

BLOCK_SIZES = [
    "1", "2", "3", "512", "1000", "1024", "1025", "4096", "K", "k", "M", "G", "kB", "KB", "KiB", "MB", "MiB",
    "1K", "2k", "3M", "1KiB", "10kB", "T", "P", "E", "b", "1b", "human-readable", "si", "human", "h", "hum",
    "'1", "'K", "'human-readable", "'si", "018", "0x10", "18446744073709551615", "1000000007", "+5", " 7",
]  # fmt: skip
BAD_BLOCK_SIZES = ["", "0", "-1", "K1", "1Q", "1KQ", "x", "1Z", "1Y", "9999999999999999999999", "'", "1.5", "0K", "B"]

THRESHOLDS = [
    "0", "1", "2", "3", "512", "4096", "4097", "8k", "8K", "10kB", "12KiB", "20K", "1M", "1MB", "1G", "1T", "1E",
    "-1", "-2", "-3", "-512", "-4095", "-4096", "-8k", "-20K", "-1M", "-1G", "010", "0x1000", "+5", " 5", "-010",
    "9223372036854775807", "-9223372036854775808", "-9223372036854775807",
]  # fmt: skip
BAD_THRESHOLDS = ["", "-0", "-0K", "x", "5x", "1.5", "1Z", "9223372036854775808", "-9223372036854775809", "--5", "1Ki"]

DEPTHS = ["0", "1", "2", "3", "5", "10", "100", "010", "0x2", "+1", " 1", "18446744073709551615"]
BAD_DEPTHS = ["", "x", "1x", "1k", "1.5", "18446744073709551616", "-"]  # "-1" is 2^64 - 1 … to strtoumax

TIME_WORDS = ["atime", "access", "use", "ctime", "status", "at", "ac", "u", "c", "s", "st"]
BAD_TIME_WORDS = ["", "a", "mtime", "x", "atimes", "birth"]

TIME_STYLES = [
    "full-iso", "long-iso", "iso", "full", "long", "is", "f", "l", "+%Y", "+", "+%s", "+%s.%N", "+%F %T.%N %z",
    "+%3N|%9N|%12N", "+%:z %::z %:::z", "+%a %A %b %B", "+%e|%k|%l|%P|%p", "+%-d|%_H|%010Y|%+4Y", "+%^a|%^B|%#Z",
    "+%C|%g|%G|%V|%U|%W|%u|%w|%j|%q", "+%D %R %r %T %x %X %c", "+%n%t%%", "+%!", "+%", "+%5", "+%E", "+%Ey|%Od",
    "+%-N|%_N|%_3N", "+%Z", "+x\ty\\n", "+%100Y", "+%-y%0e", "+%::::z", "+%:", "+\xc3\xa9", "+%10%|%5n",
    "+%_5s|%-5s|%+5s", "+%10F|%+10F|%-F|%_12F", "+%h|%#p|%^p|%#P", "+%i%f%J%K%L%Q%v",
]  # fmt: skip
BAD_TIME_STYLES = ["", "x", "locale", "posix-iso", "full-isoo"]

FORMATS_OF_TIME_STYLE = ["iso", "long-iso", "full-iso", "locale", "posix-iso", "posix-long-iso", "+%Y\n+%m", "posix-posix-iso", "+%s"]

SIZES_IN_ENVIRONMENT = ["1", "512", "K", "M", "human-readable", "si", "'1", "", "x", "0", "10kB", "-1", "1Q"]

TIME_ZONES = ["UTC0", "Europe/Berlin", "America/New_York", "XXX3:30", "EST5EDT,M3.2.0,M11.1.0", "", ":bad", "ABC-5:45:15"]


def abbreviations():
    """Every prefix of every long option that GNU du takes for it, by option."""
    prefixes = {name: [name] for name in LONG}
    for name in LONG:
        for size in range(1, len(name)):
            matches = [other for other in LONG if other.startswith(name[:size])]
            if matches == [name]:
                prefixes[name].append(name[:size])
    return prefixes


ABBREVIATIONS = abbreviations()


class CommandLine:
    """One invocation for a tree; `work` is a directory for the files that options name."""

    def __init__(self, rng, tree, work):
        self.rng = rng
        self.tree = tree
        self.work = work
        self.env = {}
        self.stdin = b""
        self.files = 0

    def invocation(self):
        rng = self.rng
        args = self._options()
        operands = [] if rng.random() < 0.08 else self._operands()
        if rng.random() < 0.15:
            args += self._files0_from(operands)
            operands = [] if rng.random() < 0.95 else operands[:1]
        self._environment()
        if rng.random() < 0.2 and "POSIXLY_CORRECT" not in self.env:
            words = self._shuffled(args, operands)  # operands before options, and between
        elif rng.random() < 0.3 or any(operand.startswith(b"-") for operand in operands):
            words = [*args, b"--", *operands]
        else:
            words = args + operands
        flat = [part for word in words for part in (word if isinstance(word, tuple) else (word,))]
        return Invocation(
            args=flat,
            cwd=self._cwd(),
            env=self.env,
            stdin=self.stdin,
            user=rng.choice(everyone(self.tree.sandbox)),
        )

    def _shuffled(self, args, operands):
        """Merges both, keeping the order within each: later options overrule earlier ones."""
        args, operands, words = list(args), [o for o in operands if not o.startswith(b"-")], []
        while args or operands:
            words.append((self.rng.choice([x for x in (args, operands) if x])).pop(0))
        return words

    # --- options: each a word, or two words that belong together ----------------------------------

    def _options(self):
        rng = self.rng
        args = []
        for _ in range(rng.choice([0, 1, 1, 2, 2, 3, 4, 6])):
            make = rng.choices(
                [self._flag, self._block_size, self._max_depth, self._threshold, self._time, self._exclude],
                [12, 3, 4, 3, 3, 3],
            )[0]
            args += make()
        # Summarizing with -a or with a depth is refused; that is tried now and then, not mostly.
        words = {word for word in args if isinstance(word, bytes)}
        if words & {b"-s", b"--summarize"} and rng.random() < 0.9:
            args = [a for a in args if a not in (b"-a", b"--all") and not self._is_depth(a)]
        return self._clustered(args)

    @staticmethod
    def _is_depth(word):
        return (word[0] if isinstance(word, tuple) else word).startswith((b"-d", b"--m"))

    def _clustered(self, args):
        """Joins neighbouring short flags, as in -ac."""
        out = []
        for word in args:
            short = isinstance(word, bytes) and len(word) == 2 and word[1:2].isalnum()
            if short and out and self.rng.random() < 0.4:
                last = out[-1]
                if isinstance(last, bytes) and last[:1] == b"-" and last[1:2].isalnum() and last[1:].isalnum():
                    if not any(letter in last for letter in b"BdtX"):
                        out[-1] = last + word[1:]
                        continue
            out.append(word)
        return out

    def _long(self, name):
        return "--" + (self.rng.choice(ABBREVIATIONS[name]) if self.rng.random() < 0.3 else name)

    def _with_argument(self, short, name, argument):
        argument = argument.encode("utf-8", "surrogateescape") if isinstance(argument, str) else argument
        long = self._long(name).encode()
        forms = [[long + b"=" + argument], [(long, argument)]]
        if short is not None:
            forms += [[(short, argument)]]
            if argument:
                forms += [[short + argument]]
        return self.rng.choice(forms)

    def _good_or_bad(self, good, bad):
        return self.rng.choice(bad if self.rng.random() < 0.04 else good)

    def _flag(self):
        short, long = self.rng.choice(FLAGS)
        if short == "-L" and self.tree.beyond_path_max:
            return []  # GNU du uses full paths then, and fails where they are too long; trawl does not
        if long is None or (short is not None and self.rng.random() < 0.6):
            return [short.encode()]
        return [self._long(long[2:]).encode()]

    def _block_size(self):
        return self._with_argument(b"-B", "block-size", self._good_or_bad(BLOCK_SIZES, BAD_BLOCK_SIZES))

    def _max_depth(self):
        return self._with_argument(b"-d", "max-depth", self._good_or_bad(DEPTHS, BAD_DEPTHS))

    def _threshold(self):
        return self._with_argument(b"-t", "threshold", self._good_or_bad(THRESHOLDS, BAD_THRESHOLDS))

    def _time(self):
        rng = self.rng
        args = []
        if rng.random() < 0.9:
            words = TIME_WORDS
            if not self.tree.sandbox.can_mount:  # access times change under our eyes
                words = ["ctime", "status", "c", "s", "st"]
            if rng.random() < 0.5:
                args.append(self._long("time").encode())
            else:
                args.append(f"{self._long('time')}={self._good_or_bad(words, BAD_TIME_WORDS)}".encode())
        if rng.random() < 0.6:
            args += self._with_argument(None, "time-style", self._good_or_bad(TIME_STYLES, BAD_TIME_STYLES))
        return args

    def _pattern(self):
        rng = self.rng
        known = self.tree.files + self.tree.directories
        name = rng.choice(known) if known else b"x"
        if rng.random() < 0.7:
            name = os.path.basename(name)
        change = rng.randrange(9)
        if change == 0:
            return name
        if change == 1:
            return name[: rng.randrange(len(name) + 1)] + b"*"
        if change == 2:
            return b"*" + name[rng.randrange(len(name) + 1) :]
        if change == 3 and name:
            at = rng.randrange(len(name))
            return name[:at] + b"?" + name[at + 1 :]
        if change == 4 and name:
            at = rng.randrange(len(name))
            return name[:at] + b"[" + rng.choice([b"a-z", b"!a", b"^a", b"[:alpha:]", name[at : at + 1]]) + b"]" + name[at + 1 :]
        if change == 5:
            return b"".join(b"\\" + name[i : i + 1] for i in range(len(name)))
        if change == 6:
            return name + rng.choice([b"/", b"/*", b"\\", b"[", b"\\*"])
        if change == 7:
            return rng.choice([b"*", b"?", b"", b"/", b".*", b"*.*", b"[", b"[]", b"[!]a]*", b"[a", b"**", b"*/*", b"./*", b"*\\", b"\\", b"[[:upper:]]*", b"[[:bogus:]]", b"[[.a.]]", b"[z-a]", b"?*?"])
        return rng.choice([b"./", b"/", b"r", b"r/"]) + name

    def _exclude(self):
        rng = self.rng
        if rng.random() < 0.6:
            return self._with_argument(None, "exclude", self._argument(self._pattern()))
        lines = [self._pattern() for _ in range(rng.choice([0, 1, 3]))]
        lines += rng.choice([[], [b"", b"  ", b"#x", b" lead", b"trail  "], [b"x\r"]])
        content = b"\n".join(lines) + rng.choice([b"", b"\n"])
        if rng.random() < 0.1:
            self.stdin = content
            return self._with_argument(b"-X", "exclude-from", b"-")
        return self._with_argument(b"-X", "exclude-from", self._file(content))

    @staticmethod
    def _argument(data):
        return data.replace(b"\0", b"")

    def _file(self, content):
        """A file for an option to read: usually there, sometimes missing, a directory, or forbidden."""
        luck = self.rng.random()
        if luck < 0.03:
            return os.path.join(self.work, b"missing")
        if luck < 0.05:
            return self.work
        self.files += 1
        path = os.path.join(self.work, b"list%d" % self.files)
        with open(path, "wb") as file:
            file.write(content)
        if luck < 0.07:
            os.chmod(path, 0)
        return path

    # --- operands ----------------------------------------------------------------------------------

    def _operand(self):
        rng, tree = self.rng, self.tree
        known = rng.choice([tree.roots, tree.roots, tree.directories, tree.files or tree.roots])
        path = rng.choice(known) if known else b"."
        change = rng.randrange(16)
        if change == 0:
            return path + b"/"
        if change == 1:
            return path + b"//"
        if change == 2:
            return b"./" + path
        if change == 3:
            return path + b"/."
        if change == 4:
            return path.replace(b"/", b"//")
        if change == 5:
            return tree.path(path)
        if change == 6:
            return path + rng.choice([b"missing", b"/missing", b"/missing/"])
        if change == 7:
            return rng.choice([b".", b"./", b".//", b"././", b"..//" + os.path.basename(tree.top), tree.top])
        if change == 8:
            return path + b"/.."
        if change == 9 and rng.random() < 0.3:
            return rng.choice([b"", b"x" * 256, b"y/" * 2048 + b"z", b"-", b"\n", b"no\nsuch\xff"])
        return path

    def _operands(self):
        rng = self.rng
        operands = [self._operand() for _ in range(rng.choice([1, 1, 1, 2, 2, 3, 5]))]
        if rng.random() < 0.2:
            operands.append(rng.choice(operands))
        return operands

    def _cwd(self):
        return self.tree.top

    def _files0_from(self, operands):
        rng = self.rng
        names = list(operands)
        if rng.random() < 0.3:
            names.insert(rng.randrange(len(names) + 1), rng.choice([b"", b"-", b"\n"]))
        if rng.random() < 0.1:
            names = []
        content = b"\0".join(names) + (b"\0" if names and rng.random() < 0.7 else b"")
        if rng.random() < 0.4:
            self.stdin = content
            return self._with_argument(None, "files0-from", b"-")
        return self._with_argument(None, "files0-from", self._file(content))

    # --- environment -------------------------------------------------------------------------------

    def _environment(self):
        rng, env = self.rng, self.env
        env["LC_ALL"] = rng.choice(LOCALES)
        for name in ("DU_BLOCK_SIZE", "BLOCK_SIZE", "BLOCKSIZE"):
            if rng.random() < 0.1:
                env[name] = rng.choice(SIZES_IN_ENVIRONMENT)
        if rng.random() < 0.1:
            env["POSIXLY_CORRECT"] = rng.choice(["", "1"])
        if rng.random() < 0.1:
            env["TIME_STYLE"] = rng.choice(FORMATS_OF_TIME_STYLE)
        if rng.random() < 0.3:
            env["TZ"] = rng.choice(TIME_ZONES)


def installed_locales():
    import subprocess

    known = subprocess.run(["locale", "-a"], capture_output=True, text=True, timeout=10).stdout.split()
    return ["C", "C.UTF-8"] + [name for name in ("en_US.utf8", "de_DE.utf8") if name in known]


LOCALES = installed_locales()
