# SPDX-License-Identifier: Apache-2.0
"""The rules of one ignore file, as gitignore(5) has them: which line decides about a path.

A pattern becomes *elements*, in which git's oddities are resolved:
    bytes     one byte of a set (a plain one is a set of one), never '/' if it is a class or '?'
    STAR      any bytes but '/'
    ANY       any bytes
    ANYWHERE  nothing, or any bytes and a '/'
Most end as a look-up of the name or of the path, the rest as regular expressions; those whose
expressions might take long, as a set of states that each byte of the path moves on.

Pure: reads no files. Thread-safe once made, but for a cache that threads may fill side by side.
"""

from __future__ import annotations

import re
from typing import Callable, Dict, FrozenSet, List, NamedTuple, Optional, Set, Tuple, Union

STAR = "star"
ANY = "any"
ANYWHERE = "anywhere"
Element = Union[int, FrozenSet[int], str]  # a byte, one of some, or one of the above

_SLASH = 0x2F
_SPECIAL = frozenset(b"*?[\\")
_EVERY_BYTE = frozenset(range(256))
_UPPER = frozenset(range(0x41, 0x5B))
_LOWER = frozenset(range(0x61, 0x7B))
_DIGIT = frozenset(range(0x30, 0x3A))
_ALNUM = _UPPER | _LOWER | _DIGIT
_GRAPH = frozenset(range(0x21, 0x7F))
# Git's, not the C library's: white space has neither vertical tab nor form feed.
_CLASSES: Dict[bytes, FrozenSet[int]] = {
    b"alnum": _ALNUM,
    b"alpha": _UPPER | _LOWER,
    b"blank": frozenset(b" \t"),
    b"cntrl": frozenset(range(0x20)) | {0x7F},
    b"digit": _DIGIT,
    b"graph": _GRAPH,
    b"lower": _LOWER,
    b"print": _GRAPH | {0x20},
    b"punct": _GRAPH - _ALNUM,
    b"space": frozenset(b" \t\n\r"),
    b"upper": _UPPER,
    b"xdigit": frozenset(b"0123456789abcdefABCDEF"),
}
_MOST_CACHED = 50_000


class Rule(NamedTuple):
    pattern: bytes  # as in the file, without white space at its end
    line: int  # from 1
    negated: bool


class _NoMatch(Exception):
    """A pattern that no text matches."""


class _Parser:
    def __init__(self, pattern: bytes, fold: bool) -> None:
        self.pattern = pattern
        self.fold = fold
        self.at = 0
        self.elements: List[Element] = []

    def peek(self, ahead: int = 0) -> int:
        """0 beyond the end: no pattern has a NUL."""
        at = self.at + ahead
        return self.pattern[at] if at < len(self.pattern) else 0

    def parse(self) -> List[Element]:
        pattern = self.pattern
        plain = 0
        while plain < len(pattern) and pattern[plain] not in _SPECIAL:
            plain += 1
        while self.at < len(pattern):
            byte = pattern[self.at]
            if byte == 0x2A:
                self._stars(plain)
            elif byte == 0x3F:
                self.at += 1
                self._set(_EVERY_BYTE)
            elif byte == 0x5B:
                self._set(self._class())
            elif byte == 0x5C:
                self.at += 1
                if self.at == len(pattern):
                    raise _NoMatch
                # Not folded: a quoted capital matches nothing that is.
                self.elements.append(pattern[self.at])
                self.at += 1
            else:
                is_capital = self.fold and 0x41 <= byte <= 0x5A
                self.elements.append(byte + 0x20 if is_capital else byte)
                self.at += 1
        return self.elements

    def _stars(self, plain: int) -> None:
        """Git compares the plain bytes that a pattern begins with by themselves, so that what
        follows is a beginning, too."""
        first = self.at
        while self.peek() == 0x2A:
            self.at += 1
        begins = first == plain or self.pattern[first - 1] == _SLASH
        follows = self.peek()
        ends = follows in (0, _SLASH) or (follows == 0x5C and self.peek(1) == _SLASH)
        if self.at - first == 1 or not begins or not ends:
            self.elements.append(STAR)
        elif follows != _SLASH:
            self.elements.append(ANY)
        else:
            self.at += 1
            if not self.elements or self.elements[-1] is not ANYWHERE:
                self.elements.append(ANYWHERE)

    def _set(self, members: FrozenSet[int]) -> None:
        members = members - {_SLASH, 0}
        if self.fold:
            members = members - _UPPER  # no folded text has them
        if not members:
            raise _NoMatch
        self.elements.append(next(iter(members)) if len(members) == 1 else members)

    def _class(self) -> FrozenSet[int]:
        members: Set[int] = set()
        self.at += 1
        negated = self.peek() in b"!^" and self.peek() != 0
        if negated:
            self.at += 1
        previous = 0  # what a range could begin with
        first = True
        while first or self.peek() != 0x5D:
            first = False
            byte = self.peek()
            if byte == 0:
                raise _NoMatch
            if byte == 0x2D and previous and self.peek(1) not in (0, 0x5D):
                self.at += 1
                if self.peek() == 0x5C:
                    self.at += 1
                high = self.peek()
                if high == 0:
                    raise _NoMatch
                members.update(range(previous, high + 1))
                if self.fold:
                    members.update(
                        each + 0x20 for each in range(previous, high + 1) if each in _UPPER
                    )
                previous = 0
            elif byte == 0x5B and self.peek(1) == 0x3A:
                end = self.pattern.find(b"]", self.at + 2)
                if end < 0:
                    raise _NoMatch
                if end == self.at + 2 or self.pattern[end - 1] != 0x3A:  # a plain '['
                    previous = byte
                    members.add(byte)
                else:
                    name = self.pattern[self.at + 2 : end - 1]
                    if name not in _CLASSES:
                        raise _NoMatch
                    members |= _CLASSES[name]
                    if self.fold and name == b"upper":
                        members |= _LOWER
                    previous = 0
                    self.at = end
            else:
                if byte == 0x5C:
                    self.at += 1
                previous = self.peek()
                if previous == 0:
                    raise _NoMatch
                members.add(previous)
            self.at += 1
        self.at += 1
        return _EVERY_BYTE - members if negated else frozenset(members)


def _is_slash(element: Element) -> bool:
    return element == _SLASH or element is ANYWHERE


class _States:
    """All states that the elements may be in, as bits of a number: state n has taken n bytes that
    elements stand for one by one (of ANYWHERE: its '/'). Linear in the text."""

    def __init__(self, elements: List[Element]) -> None:
        self.elements = elements
        self.least = sum(1 for each in elements if not isinstance(each, str))
        self._rows: Optional[List[int]] = None  # by byte: the states that it leads to
        self._stay = 0  # states that any byte but '/' keeps
        self._stay_slash = 0  # states that '/' keeps
        self._skip = 0  # states from which the next is reached without a byte
        self._accept = 0

    def _build(self) -> List[int]:
        takes = sum(1 for each in self.elements if each is not STAR and each is not ANY)
        size = takes // 8 + 1
        rows = [bytearray(size) for _ in range(256)]
        stay, stay_slash, skip = bytearray(size), bytearray(size), bytearray(size)

        def mark(bits: bytearray, state: int) -> None:
            bits[state >> 3] |= 1 << (state & 7)

        state = 0
        for element in self.elements:
            if isinstance(element, str):
                mark(stay, state)
                if element is not STAR:
                    mark(stay_slash, state)
                if element is not ANYWHERE:
                    continue
                mark(skip, state)
                members: FrozenSet[int] = frozenset((_SLASH,))
            else:
                members = frozenset((element,)) if isinstance(element, int) else element
            state += 1
            for byte in members:
                mark(rows[byte], state)
        self._stay = int.from_bytes(stay, "little")
        self._stay_slash = int.from_bytes(stay_slash, "little")
        self._skip = int.from_bytes(skip, "little")
        self._accept = 1 << state
        return [int.from_bytes(row, "little") for row in rows]

    def __call__(self, text: bytes) -> bool:
        if len(text) < self.least:
            return False
        rows = self._rows
        if rows is None:
            rows = self._build()
            self._rows = rows
        skip, stay, stay_slash = self._skip, self._stay, self._stay_slash
        states = 1 | ((1 & skip) << 1)
        for byte in text:
            reached = (states << 1) & rows[byte]
            kept = states & (stay_slash if byte == _SLASH else stay)
            states = reached | ((reached & skip) << 1) | kept
            if not states:
                return False
        return bool(states & self._accept)


def _expression(elements: List[Element]) -> bytes:
    parts: List[bytes] = []
    for element in elements:
        if element is STAR:
            parts.append(b"[^/]*")
        elif element is ANY:
            parts.append(b".*")
        elif element is ANYWHERE:
            parts.append(b"(?:.*/)?")
        elif isinstance(element, int):
            parts.append(re.escape(bytes((element,))))
        elif isinstance(element, frozenset):
            members = element if len(element) <= 128 else _EVERY_BYTE - element
            sign = b"" if len(element) <= 128 else b"^"
            parts.append(
                b"[" + sign + b"".join(b"\\x%02x" % byte for byte in sorted(members)) + b"]"
            )
    return b"".join(parts)


_MOST_WIDE = 2  # elements of any length for which an expression can't take long
_LONG = 500  # elements for which it is not worth while to make one


def _matcher(elements: List[Element]) -> Callable[[bytes], object]:
    wide = sum(1 for each in elements if isinstance(each, str))
    if wide > _MOST_WIDE or len(elements) > _LONG:
        return _States(elements)
    return re.compile(_expression(elements), re.DOTALL).fullmatch


class _Compiled(NamedTuple):
    number: int
    directory_only: bool
    matches: Callable[[bytes], object]


def _without_spaces_at_end(line: bytes) -> bytes:
    """A space that follows a backslash stays."""
    if not line.endswith(b" "):
        return line
    end = at = 0
    while at < len(line):
        if line[at] != 0x20:
            if line[at] == 0x5C:
                at += 1
            end = at + 1
        at += 1
    return line[: min(end, len(line))]


class IgnoreRules:
    """The rules of one file. `source` is what a verdict names."""

    def __init__(self, text: bytes, source: bytes, ignore_case: bool = False) -> None:
        self.source = source
        self.fold = ignore_case
        self.rules: List[Rule] = []
        # Of rules without a slash and of those with one: plain ones by what they match, each the
        # last first; and the rest, the last first.
        self._names: Dict[bytes, List[Tuple[int, bool]]] = {}
        self._paths: Dict[bytes, List[Tuple[int, bool]]] = {}
        self._name_rules: List[_Compiled] = []
        self._path_rules: List[_Compiled] = []
        self._cache: Dict[Tuple[bytes, bool], int] = {}
        for number, line in enumerate(self._lines(text), 1):
            if line and not line.startswith(b"#"):
                self._add(line, number)
        self._name_rules.reverse()
        self._path_rules.reverse()
        for plain in (self._names, self._paths):
            for numbers in plain.values():
                numbers.reverse()
        self.needs_path = bool(self._paths or self._path_rules)

    @staticmethod
    def _lines(text: bytes) -> List[bytes]:
        if text.startswith(b"\xef\xbb\xbf"):
            text = text[3:]
        return text.split(b"\n")

    def __bool__(self) -> bool:
        return bool(self.rules)

    def _add(self, line: bytes, number: int) -> None:
        if line.endswith(b"\r"):
            line = line[:-1]
        line = _without_spaces_at_end(line.partition(b"\0")[0])
        negated = line.startswith(b"!")
        body = line[1:] if negated else line
        directory_only = body.endswith(b"/")
        if directory_only:
            body = body[:-1]
        has_slash = b"/" in body
        if body.startswith(b"/"):
            body = body[1:]
        if not body:
            return
        try:
            elements = _Parser(body, self.fold).parse()
        except _NoMatch:
            return
        if not has_slash and elements[-1] is ANY:
            elements[-1] = STAR
        of_path = has_slash
        if has_slash:
            if _is_slash(elements[-1]):
                # No path ends with a slash, but "a**/" matches a name, too.
                within = (
                    elements[-1] is ANYWHERE and len(elements) > 1 and elements[-2] != _SLASH
                )
                if not within:
                    return
            if elements == [ANY] or elements == [ANYWHERE, ANY]:
                elements = [STAR]  # everything: any name anywhere
                of_path = False
            elif elements[0] is ANYWHERE and not any(map(_is_slash, elements[1:])):
                if ANY not in elements:
                    elements = elements[1:]  # a name anywhere
                    of_path = False
        at = len(self.rules)
        self.rules.append(Rule(line, number, negated))
        if all(isinstance(each, int) for each in elements):
            plain = bytes(each for each in elements if isinstance(each, int))
            table = self._paths if of_path else self._names
            table.setdefault(plain, []).append((at, directory_only))
        else:
            rules = self._path_rules if of_path else self._name_rules
            rules.append(_Compiled(at, directory_only, _matcher(elements)))

    @staticmethod
    def _last(
        text: bytes,
        is_directory: bool,
        plain: Dict[bytes, List[Tuple[int, bool]]],
        rules: List[_Compiled],
        best: int,
    ) -> int:
        """The last rule that matches, if it is after `best`, else that."""
        for number, directory_only in plain.get(text, ()):
            if is_directory or not directory_only:
                best = max(best, number)
                break
        for number, directory_only, matches in rules:
            if number <= best:
                break
            if (is_directory or not directory_only) and matches(text):
                return number
        return best

    def match(self, path: bytes, base: int, name: bytes, is_directory: bool) -> Optional[Rule]:
        """The last rule that matches. Those with a slash are tried against `path` from `base` on,
        the others against `name`."""
        if self.fold:
            name = name.lower()
        key = (name, is_directory)
        best = self._cache.get(key)
        if best is None:
            best = self._last(name, is_directory, self._names, self._name_rules, -1)
            if len(self._cache) >= _MOST_CACHED:
                self._cache.clear()
            self._cache[key] = best
        if self.needs_path:
            below = path[base:]
            if self.fold:
                below = below.lower()
            best = self._last(below, is_directory, self._paths, self._path_rules, best)
        return None if best < 0 else self.rules[best]
