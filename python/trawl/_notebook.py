# SPDX-License-Identifier: Apache-2.0
"""Results as HTML for notebooks: a table and a small chart, self-contained, without scripts."""

from html import escape
from typing import TYPE_CHECKING, Any, Callable, Iterable, List, Sequence, Tuple

from ._types import human_bytes, shown

if TYPE_CHECKING:
    from ._profiler import DirectoryAnalysis
    from ._tables import Table
    from ._usage import Usage

ROWS = 20
_BARS = 10
_TIMES = ("mtime", "atime", "ctime", "btime")


def table_html(table: "Table") -> str:
    columns = [name for name in table.columns if name not in ("path_bytes", "target")]
    cells = [table.column(name)[:ROWS] for name in columns]
    rows = [[_cell(name, value) for name, value in zip(columns, row)] for row in zip(*cells)]
    caption = f"{len(table):,} entries"
    if not table.complete:
        caption += f", not complete: {table.ending.replace('_', ' ')}, {len(table.errors):,} errors"
    if len(table) > ROWS:
        caption += f"; the first {ROWS}"
    types = table.column("type")
    if "size" in table.columns:
        bars = _largest(zip(types, table.column("size")))
        chart = _chart("Bytes by type", bars, human_bytes)
    else:
        chart = _chart("Entries by type", _largest((kind, 1) for kind in types), _count)
    return _page(_table(caption, columns, rows) + chart)


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


def _largest(pairs: Iterable[Tuple[str, Any]]) -> List[Tuple[str, int]]:
    sums: "dict[str, int]" = {}
    for name, value in pairs:
        sums[name] = sums.get(name, 0) + (value or 0)
    return sorted(sums.items(), key=lambda bar: -bar[1])[:_BARS]


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
