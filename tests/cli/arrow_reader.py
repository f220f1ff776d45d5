# SPDX-License-Identifier: Apache-2.0
"""Reads what `trawl list --arrow` writes, by the letter of Arrow's specification, without a library.

Knows the types that a table of entries has. Every departure from the specification is an AssertionError.
"""

import struct

MAGIC = b"ARROW1"
SCHEMA, DICTIONARY, BATCH = 1, 2, 3
INTEGER, BINARY, UTF8, TIMESTAMP = 2, 4, 5, 10
VERSION_5 = 4


class FlatTable:
    """A table of a FlatBuffer: its fields by their place among them."""

    def __init__(self, data, at):
        self.data = data
        self.at = at
        self.fields = at - struct.unpack_from("<i", data, at)[0]

    @classmethod
    def root(cls, data):
        return cls(data, struct.unpack_from("<I", data, 0)[0])

    def place(self, field):
        where = 4 + 2 * field
        if where >= struct.unpack_from("<H", self.data, self.fields)[0]:
            return None
        offset = struct.unpack_from("<H", self.data, self.fields + where)[0]
        return self.at + offset if offset else None

    def number(self, field, code, default=0):
        at = self.place(field)
        return default if at is None else struct.unpack_from("<" + code, self.data, at)[0]

    def target(self, field):
        at = self.place(field)
        return None if at is None else at + struct.unpack_from("<I", self.data, at)[0]

    def table(self, field):
        at = self.target(field)
        return None if at is None else FlatTable(self.data, at)

    def text(self, field):
        at = self.target(field)
        size = struct.unpack_from("<I", self.data, at)[0]
        return self.data[at + 4 : at + 4 + size].decode()

    def tables(self, field):
        at = self.target(field)
        count = struct.unpack_from("<I", self.data, at)[0]
        places = [at + 4 + 4 * i for i in range(count)]
        return [FlatTable(self.data, p + struct.unpack_from("<I", self.data, p)[0]) for p in places]

    def structs(self, field, code):
        at = self.target(field)
        count = struct.unpack_from("<I", self.data, at)[0]
        size = struct.calcsize(code)
        assert count == 0 or (at + 4) % 8 == 0, "structs of 64-bit numbers are aligned"
        return [struct.unpack_from(code, self.data, at + 4 + i * size) for i in range(count)]


class Field:
    def __init__(self, table):
        self.name = table.text(0)
        self.nullable = table.number(1, "B") != 0
        self.type = table.number(2, "B")
        detail = table.table(3)
        assert table.tables(5) == [], "no column has children"
        self.dictionary = None
        encoding = table.table(4)
        if encoding is not None:
            self.dictionary = encoding.number(0, "q")
            detail = encoding.table(1)
        if self.type == TIMESTAMP:
            assert detail.number(0, "h") == 3 and detail.text(1) == "UTC"
            self.code = "q"
        elif self.type == INTEGER or self.dictionary is not None:
            bits, signed = detail.number(0, "i"), detail.number(1, "B")
            self.code = {(8, 1): "b", (32, 1): "i", (32, 0): "I", (64, 0): "Q"}[bits, signed]
        else:
            assert self.type in (BINARY, UTF8)
            self.code = None

    def __eq__(self, other):
        return vars(self) == vars(other)


class Table:
    """`columns`: lists by name. `batches`: how many rows each has."""

    def __init__(self, data, stream=False):
        self.data = data
        self.batches = []
        self.places = {DICTIONARY: [], BATCH: []}
        self.dictionaries = {}
        self.schema = None
        at = 0
        if not stream:
            assert data[:8] == MAGIC + b"\0\0" and data[-6:] == MAGIC, "not a whole file"
            at = 8
        at = self._read_messages(at)
        if stream:
            assert at == len(data), "nothing is behind the end"
        else:
            size = struct.unpack_from("<i", data, len(data) - 10)[0]
            assert at + size + 10 == len(data), "the footer is behind the end"
            self._check_footer(FlatTable.root(data[at : at + size]))

    def _read_messages(self, at):
        while True:
            mark, size = struct.unpack_from("<II", self.data, at)
            assert mark == 0xFFFFFFFF and at % 8 == 0 and size % 8 == 0
            if size == 0:
                return at + 8
            message = FlatTable.root(self.data[at + 8 : at + 8 + size])
            assert message.number(0, "h") == VERSION_5
            kind, header, body = message.number(1, "B"), message.table(2), message.number(3, "q")
            begin = at + 8 + size
            assert body % 8 == 0 and begin + body <= len(self.data)
            if kind == SCHEMA:
                assert self.schema is None and body == 0
                assert header.number(0, "h") == 0  # little-endian
                self.schema = [Field(each) for each in header.tables(1)]
                self.columns = {field.name: [] for field in self.schema}
            else:
                self.places[kind].append((at, 8 + size, body))
                self._read_body(kind, header, begin, body)
            at = begin + body

    def _read_body(self, kind, header, begin, body):
        if kind == DICTIONARY:
            number = header.number(0, "q")
            assert header.number(2, "B") == 0, "no delta"
            assert not self.batches and number not in self.dictionaries
            owner = [f for f in self.schema if f.dictionary == number]
            assert len(owner) == 1
            self.dictionaries[number] = self._columns(header.table(1), begin, body, [(owner[0].type, None)])[0]
            return
        assert kind == BATCH
        types = [(f.type if f.dictionary is None else INTEGER, f.code) for f in self.schema]
        columns = self._columns(header, begin, body, types)
        for field, values in zip(self.schema, columns):
            assert field.nullable or None not in values
            if field.dictionary is not None:
                values = [self.dictionaries[field.dictionary][i] for i in values]
            self.columns[field.name] += values
        self.batches.append(header.number(0, "q"))

    def _columns(self, batch, begin, body, types):
        length = batch.number(0, "q")
        nodes, buffers = batch.structs(1, "<qq"), batch.structs(2, "<qq")
        assert all(n[0] == length for n in nodes) and len(nodes) == len(types)
        parts = []
        for offset, size in buffers:
            assert offset % 64 == 0 and (begin + offset) % 64 == 0 and offset + size <= body
            parts.append(self.data[begin + offset : begin + offset + size])
        out = []
        for (kind, code), (_, nulls) in zip(types, nodes):
            validity = parts.pop(0)
            known = [not validity or validity[i // 8] >> (i % 8) & 1 == 1 for i in range(length)]
            assert known.count(False) == nulls
            if kind in (UTF8, BINARY):
                offsets = struct.unpack(f"<{length + 1}i", parts.pop(0))
                text = parts.pop(0)
                assert list(offsets) == sorted(offsets) and offsets[-1] == len(text)
                values = [text[a:b] for a, b in zip(offsets, offsets[1:])]
                if kind == UTF8:
                    values = [value.decode() for value in values]
            else:
                values = struct.unpack(f"<{length}{code}", parts.pop(0))
            out.append([value if there else None for value, there in zip(values, known)])
        assert not parts
        return out

    def _check_footer(self, footer):
        assert footer.number(0, "h") == VERSION_5
        assert [Field(each) for each in footer.table(1).tables(1)] == self.schema
        for field, kind in ((2, DICTIONARY), (3, BATCH)):
            blocks = [(o, m, b) for o, m, b in footer.structs(field, "<qi4xq")]
            assert blocks == self.places[kind]

    def rows(self):
        names = list(self.columns)
        return [dict(zip(names, row)) for row in zip(*self.columns.values())]
