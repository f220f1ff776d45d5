# SPDX-License-Identifier: Apache-2.0
"""An analysis as text: tables of rich's if it is installed, else plain ones."""

import sys
from typing import TYPE_CHECKING, Any, List, Optional, Sequence

from ._types import human_bytes, shown

if TYPE_CHECKING:
    from typing import TextIO

    from ._profiler import DirectoryAnalysis

BAR = 24  # characters


class Report:
    def __init__(self, file: "Optional[TextIO]" = None) -> None:
        self._file = sys.stdout if file is None else file
        self._console: Any = None
        try:
            from rich.console import Console
        except ImportError:
            return
        self._console = Console(file=self._file)

    def everything(self, analysis: "DirectoryAnalysis") -> None:
        self.summary(analysis)
        self.file_extensions(analysis)
        self.folder_patterns(analysis)
        self._files("Largest Files", analysis)
        self._fullest(analysis)
        self._sizes(analysis)
        self.empty_folders(analysis)
        self._errors(analysis)

    def summary(self, analysis: "DirectoryAnalysis") -> None:
        summary = analysis["summary"]
        timing = analysis.get("timing") or {}
        rows = [
            ("Total Files", f"{summary['total_files']:,}"),
            ("Total Folders", f"{summary['total_folders']:,}"),
            ("Total Size", human_bytes(summary["total_size_bytes"])),
        ]
        if "total_disk_usage_bytes" in summary:
            rows.append(("Disk Usage", human_bytes(summary["total_disk_usage_bytes"])))
            rows.append(("Links", f"{summary['total_links']:,}"))
        rows += [
            ("Average Files per Folder", f"{summary['avg_files_per_folder']:,}"),
            ("Maximum Depth", str(summary["max_depth"])),
            ("Empty Folders", f"{summary['empty_folder_count']:,}"),
        ]
        if timing:
            rows.append(("Time", f"{timing['elapsed_seconds']:.3f} s"))
            rows.append(("Entries per Second", f"{timing['items_per_second']:,.0f}"))
        if not analysis.get("complete", True):
            rows.append(("Not complete", _why(analysis)))
        by = timing.get("implementation")
        title = f"Directory Analysis: {shown(analysis['path'])}" + (f" ({by})" if by else "")
        self._table(title, ("Metric", "Value"), rows)

    def file_extensions(self, analysis: "DirectoryAnalysis", top_n: int = 10) -> None:
        counts = [*analysis["file_extensions"].items()][: max(top_n, 0)]
        total = analysis["summary"]["total_files"]
        most = max((count for _, count in counts), default=0)
        rows = [
            (shown(name), f"{count:,}", f"{100 * count / total if total else 0:.1f}%",
             _bar(count, most))
            for name, count in counts
        ]  # fmt: skip
        if rows:
            self._table("File Extensions", ("Extension", "Files", "Share", ""), rows)

    def folder_patterns(self, analysis: "DirectoryAnalysis", top_n: int = 10) -> None:
        counts = [*analysis["common_folder_names"].items()][: max(top_n, 0)]
        if counts:
            rows = [(shown(name), f"{count:,}") for name, count in counts]
            self._table("Common Folder Names", ("Folder Name", "Folders"), rows)

    def empty_folders(self, analysis: "DirectoryAnalysis", max_show: int = 20) -> None:
        paths = analysis["empty_folders"][: max(max_show, 0)]
        total = analysis["summary"]["empty_folder_count"]
        if not total:
            self._line("No empty folders.")
            return
        rows = [(shown(path),) for path in paths]
        if total > len(paths):
            rows.append((f"… and {total - len(paths):,} more",))
        self._table(f"Empty Folders ({len(paths):,} of {total:,})", ("Path",), rows)

    def _fullest(self, analysis: "DirectoryAnalysis") -> None:
        rows = [(shown(p), f"{count:,}") for p, count in analysis["top_folders_by_file_count"]]
        if rows:
            self._table("Folders with Most Files", ("Folder", "Files"), rows)

    def _files(self, title: str, analysis: "DirectoryAnalysis") -> None:
        files = analysis.get("largest_files") or []
        if files:
            rows = [(shown(each["path"]), human_bytes(each["size"])) for each in files[:10]]
            self._table(title, ("Path", "Size"), rows)

    def _sizes(self, analysis: "DirectoryAnalysis") -> None:
        sizes = [each for each in analysis.get("size_histogram") or [] if each["files"]]
        most = max((each["files"] for each in sizes), default=0)
        rows = [
            (human_bytes(each["from"]), f"{each['files']:,}", human_bytes(each["bytes"]),
             _bar(each["files"], most))
            for each in sizes
        ]  # fmt: skip
        if rows:
            self._table("Sizes", ("From", "Files", "Bytes", ""), rows)

    def _errors(self, analysis: "DirectoryAnalysis") -> None:
        errors = analysis.get("errors") or []
        if errors:
            rows = [(shown(str(error)),) for error in errors[:10]]
            if len(errors) > 10:
                rows.append((f"… and {len(errors) - 10:,} more",))
            self._table("Could Not Be Read", ("Error",), rows)

    def _line(self, text: str) -> None:
        print(text + "\n", file=self._file)

    def _table(
        self, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]
    ) -> None:
        if self._console is None:
            self._plain(title, heads, rows)
            return
        from rich.table import Table
        from rich.text import Text

        table = Table(title=Text(title), title_justify="left")
        for at, head in enumerate(heads):
            number = at > 0 and bool(head)
            table.add_column(
                head, justify="right" if number else "left", overflow="fold",
                style="bold cyan" if at == 0 else None,
            )  # fmt: skip
        for row in rows:
            table.add_row(*map(Text, row))  # names are not to be read as markup
        self._console.print(table)
        self._console.print()

    def _plain(self, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        table = [[*heads], *map(list, rows)]
        widths = [max(len(row[at]) for row in table) for at in range(len(heads))]
        lines: List[str] = [title]
        for row in table:
            cells = [
                cell.rjust(width) if at and heads[at] else cell.ljust(width)
                for at, (cell, width) in enumerate(zip(row, widths))
            ]
            lines.append("  " + "  ".join(cells).rstrip())
        self._line("\n".join(lines))


def _bar(count: int, most: int) -> str:
    return "█" * round(BAR * count / most) if most else ""


def _why(analysis: "DirectoryAnalysis") -> str:
    ending = str(analysis.get("ending", ""))
    if ending not in ("", "complete"):
        return ending.replace("_", " ")
    return f"{len(analysis.get('errors') or ()):,} errors"
