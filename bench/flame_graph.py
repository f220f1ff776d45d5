#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where the time of a command goes, as a flame graph.

    bench/flame_graph.py OUT.svg COMMAND…

Samples all threads with perf (as root, so that the kernel's frames are there), and draws what was on each stack:
a frame is as wide as its share of the samples, callers below, callees above, names ascending from left to
right. Also prints the ten frames in which most samples were themselves. The idea is Brendan Gregg's (2011).
"""

import collections
import html
import os
import re
import subprocess
import sys
import tempfile

WIDTH, ROW, LEAST = 1200, 17, 0.3  # pixels; what is narrower is left out


def sample(command):
    with tempfile.NamedTemporaryFile(suffix=".perf") as data:
        subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-F", "4999", "-g", "-o", data.name, "--", *command], check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        return subprocess.run(["perf", "script", "-i", data.name, "-F", "comm,ip,sym"], check=True, capture_output=True, text=True).stdout


def stacks(script):
    """How often each stack was seen, outermost frame first."""
    counts = collections.Counter()
    for block in script.split("\n\n"):
        frames = []
        for line in block.splitlines()[1:]:
            found = re.match(r"\s+[0-9a-f]+ (.*)", line)
            if found:
                frames.append(re.sub(r"\(.*|\+0x[0-9a-f]+$|<.*>", "", found[1].replace("[unknown]", "?")) or "?")
        if frames:
            counts[tuple(reversed(frames))] += 1
    return counts


class Frame:
    def __init__(self):
        self.count = 0
        self.callees = collections.defaultdict(Frame)


def draw(counts, title):
    root = Frame()
    for stack, count in counts.items():
        at = root
        at.count += count
        for name in stack:
            at = at.callees[name]
            at.count += count
    boxes = []

    def place(frame, name, x, level):
        width = WIDTH * frame.count / root.count
        if width < LEAST:
            return
        boxes.append((name, x, level, width, frame.count))
        for callee in sorted(frame.callees):
            place(frame.callees[callee], callee, x, level + 1)
            x += WIDTH * frame.callees[callee].count / root.count

    place(root, "all", 0.0, 0)
    height = (max(box[2] for box in boxes) + 3) * ROW
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{WIDTH / 2}" y="14" text-anchor="middle" font-size="14">{html.escape(title)}</text>',
    ]
    for name, x, level, width, count in boxes:
        # The kernel's frames have lower case names, ours have namespaces.
        own = "::" in name
        shade = sum(map(ord, name)) % 40
        colour = f"rgb({70 + shade},{130 + shade},{190 + shade})" if own else f"rgb({235 - shade // 2},{150 + shade},{70 + shade})"
        y = height - (level + 1) * ROW
        share = 100 * count / root.count
        out.append(f'<g><title>{html.escape(name)}: {share:.1f} %</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 1}" fill="{colour}"/>')
        fits = int((width - 4) / 6.2)
        if fits >= 4:
            text = name if len(name) <= fits else name[: fits - 1] + "…"
            out.append(f'<text x="{x + 2:.1f}" y="{y + 12}">{html.escape(text)}</text>')
        out.append("</g>")
    out.append("</svg>\n")
    return "\n".join(out)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    out, command = sys.argv[1], sys.argv[2:]
    counts = stacks(sample(command))
    if not counts:
        sys.exit("no samples: is perf allowed to sample?")
    with open(out, "w") as file:
        file.write(draw(counts, " ".join([os.path.basename(command[0]), *command[1:]])))
    total = sum(counts.values())
    top = collections.Counter()
    for stack, count in counts.items():
        top[stack[-1]] += count
    for name, count in top.most_common(10):
        print(f"{100 * count / total:5.1f} %  {name}")


main()
