# SPDX-License-Identifier: Apache-2.0
"""Results as HTML for notebooks: a table and a small chart, self-contained, without scripts."""

from collections import Counter
from html import escape
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Sequence, Tuple

from . import _engine
from ._types import human_bytes, shown

if TYPE_CHECKING:
    from ._profiler import DirectoryAnalysis
    from ._tables import Table
    from ._usage import Usage

ROWS = 20
_BARS = 10
_MANY = 200_000  # rows from which on pyarrow is worth its import
_TIMES = ("mtime", "atime", "ctime", "btime")


def table_html(table: "Table") -> str:
    columns = [name for name in table.columns if name not in ("path_bytes", "target")]
    cells, sums = _from_arrow(table, columns) or _from_columns(table, columns)
    rows = [[_cell(name, value) for name, value in zip(columns, row)] for row in zip(*cells)]
    caption = f"{len(table):,} entries"
    if not table.complete:
        caption += f", not complete: {table.ending.replace('_', ' ')}, {len(table.errors):,} errors"
    if len(table) > ROWS:
        caption += f"; the first {ROWS}"
    bars = sorted(sums.items(), key=lambda bar: (-bar[1], bar[0]))[:_BARS]
    if "size" in columns:
        chart = _chart("Bytes by type", bars, human_bytes)
    else:
        chart = _chart("Entries by type", bars, _count)
    return _page(_table(caption, columns, rows) + chart)


# The first rows of each column, and bytes, or entries, by type.
Head = Tuple[List[List[Any]], Dict[str, int]]


def _from_columns(table: "Table", columns: Sequence[str]) -> Head:
    cells = []
    for name in columns:
        values = table.column(name)
        cells.append(values[:ROWS])
        del values  # one column of objects at a time, but for those that are summed up
    types = table.column("type")
    if "size" not in columns:
        return cells, Counter(types)
    sums: Dict[str, int] = {}
    for kind, size in zip(types, table.column("size")):
        sums[kind] = sums.get(kind, 0) + (size or 0)
    return cells, sums


def _from_arrow(table: "Table", columns: Sequence[str]) -> Optional[Head]:
    """For long tables that share their memory: makes objects of what is shown only."""
    if len(table) < _MANY or not _engine.is_shared(table._table):
        return None
    try:
        import pyarrow  # type: ignore[import-not-found, import-untyped, unused-ignore]
        import pyarrow.compute  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError:
        return None
    arrow = pyarrow.table(table)
    cells = []
    for name in columns:
        values = arrow[name].slice(0, ROWS)
        cells.append((values.cast("int64") if name in _TIMES else values).to_pylist())
    sums: Dict[str, int] = {}
    sizes = arrow["size"].chunks if "size" in columns else None
    for at, chunk in enumerate(arrow["type"].chunks):
        for code, kind in enumerate(chunk.dictionary.to_pylist()):
            chosen = pyarrow.compute.equal(chunk.indices, code)
            count = pyarrow.compute.sum(chosen).as_py()
            if not count:
                continue
            if sizes is not None:
                count = pyarrow.compute.sum(sizes[at].filter(chosen)).as_py() or 0
            sums[kind] = sums.get(kind, 0) + count
    return cells, sums


def analysis_html(analysis: "DirectoryAnalysis") -> str:
    summary = analysis["summary"]
    rows = [
        ["Files", _count(summary["total_files"])],
        ["Folders", _count(summary["total_folders"])],
        ["Size", human_bytes(summary["total_size_bytes"])],
        ["Files per folder", _count(summary["avg_files_per_folder"])],
        ["Deepest folder", _count(summary["max_depth"])],
        ["Empty folders", _count(summary["empty_folder_count"])],
    ]
    if not analysis.get("complete", True):
        rows.append(["Not complete", str(analysis.get("ending", ""))])
    extensions = analysis.get("extensions")
    if extensions:
        bars = [(each["extension"] or "none", each["bytes"]) for each in extensions]
        bars.sort(key=lambda bar: -bar[1])
        chart = _chart("Bytes by extension", bars[:_BARS], human_bytes)
    else:
        bars = [*analysis["file_extensions"].items()][:_BARS]
        chart = _chart("Files by extension", bars, _count)
    return _page(_table(analysis["path"], ["", ""], rows) + chart)


def usage_html(usage: "Usage") -> str:
    lines = sorted(usage.lines, key=lambda line: -line.disk_usage)[:ROWS]
    rows = [
        [human_bytes(line.disk_usage), human_bytes(line.apparent_size), _count(line.inodes),
         line.path]
        for line in lines
    ]  # fmt: skip
    caption = f"{usage.path}: {human_bytes(usage.disk_usage)} on disk, {usage.inodes:,} inodes"
    if not usage.complete:
        caption += ", not complete"
    below = [line for line in lines if line.depth == 1][:_BARS]
    bars = [(line.path, line.disk_usage) for line in below]
    heads = ["Disk usage", "Size", "Inodes", "Path"]
    return _page(_table(caption, heads, rows) + _chart("Disk usage", bars, human_bytes))


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in _TIMES:
        from datetime import datetime, timedelta, timezone

        epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
        try:
            return format(epoch + timedelta(seconds=value // 10**9), "%Y-%m-%d %H:%M:%S")
        except OverflowError:
            return str(value)
    if name == "mode":
        return format(value, "04o")
    if name in ("size", "disk_usage"):
        return human_bytes(value)
    return str(value)


def _count(value: float) -> str:
    return f"{value:,}"


def _text(text: str) -> str:
    return escape(shown(text))


def _page(inner: str) -> str:
    return f'<div style="display:flex;gap:2em;flex-wrap:wrap;align-items:flex-start">{inner}</div>'


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{_text(name)}</th>" for name in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        f"<table><caption>{_text(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _chart(
    title: str, bars: Sequence[Tuple[str, int]], show: Callable[[float], str]
) -> str:
    most = max((value for _, value in bars), default=0)
    if not most:
        return ""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="420" height="{24 + 20 * len(bars)}" '
        f'role="img" font-family="sans-serif" font-size="12" fill="currentColor">'
        f'<text x="0" y="14" font-weight="bold">{_text(title)}</text>'
    ]
    for at, (name, value) in enumerate(bars):
        y = 24 + 20 * at
        label = name if len(name) <= 20 else "…" + name[-19:]
        parts.append(
            f"<g><title>{_text(name)}: {_text(show(value))}</title>"
            f'<text x="120" y="{y + 12}" text-anchor="end">{_text(label)}</text>'
            f'<rect x="126" y="{y + 2}" width="{max(200 * value / most, 1):.1f}" height="14" '
            f'fill="#4c78a8"/>'
            f'<text x="{130 + 200 * value / most:.1f}" y="{y + 13}">{_text(show(value))}</text></g>'
        )
    return "".join(parts) + "</svg>"
