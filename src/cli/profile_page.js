"use strict";
// The page of `trawl profile --html`. What is shown comes from the element `figures` and is only ever
// put in as text, never as markup.

const data = JSON.parse(document.getElementById("figures").textContent);
const byId = (id) => document.getElementById(id);

// --- elements and figures --------------------------------------------------------------------------

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

const integers = new Intl.NumberFormat("en-US");
const count = (number) => integers.format(number);
const counted = (number, one, many) => `${count(number)} ${number === 1 ? one : many}`;

function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
  let unit = 0;
  let number = bytes;
  while (number >= 1023.5 && unit + 1 < units.length) {
    number /= 1024;
    ++unit;
  }
  return `${unit > 0 && number < 9.95 ? number.toFixed(1) : Math.round(number)} ${units[unit]}`;
}

function percent(part, whole) {
  const share = whole > 0 ? (100 * part) / whole : 0;
  return part > 0 && share < 0.5 ? "<1 %" : `${Math.round(share)} %`;
}

function time(seconds) {
  const date = new Date(1000 * seconds);
  if (Number.isNaN(date.getTime())) return String(seconds);
  const two = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}`;
}

// A path without that of the root, which the heading has.
function below(path) {
  if (path === data.path) return ".";
  return path.startsWith(data.path) ? path.slice(data.path.length).replace(/^\/+/, "") : path;
}

const name = (text) => element("span", {class: "name"}, text);

// --- the tip ---------------------------------------------------------------------------------------

const tip = byId("tip");

function showTip(lines, x, y) {
  tip.replaceChildren(element("b", {class: "name"}, lines[0]), ...lines.slice(1).map((line) => element("div", {}, line)));
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - box.width - 8))}px`;
  tip.style.top = `${y + 18 + box.height > innerHeight ? Math.max(4, y - box.height - 10) : y + 18}px`;
}

const hideTip = () => { tip.hidden = true; };

function withTip(target, lines) {
  target.addEventListener("mousemove", (event) => showTip(lines(), event.clientX, event.clientY));
  target.addEventListener("mouseleave", hideTip);
  target.addEventListener("focus", () => {
    if (!target.matches(":focus-visible")) return;
    const box = target.getBoundingClientRect();
    showTip(lines(), box.left + Math.min(40, box.width / 2), box.top + Math.min(20, box.height / 2));
  });
  target.addEventListener("blur", hideTip);
}

// --- heading and summary ---------------------------------------------------------------------------

function heading() {
  const summary = data.summary;
  document.title = `${data.path} – trawl profile`;
  byId("path").textContent = data.path;
  byId("when").textContent = `${time(data.now)}, ${count(data.entries)} entries in ${data.elapsed_seconds.toFixed(2)} s`;
  if (!data.complete) {
    const why = [];
    if (data.error_count > 0) why.push(`${counted(data.error_count, "entry", "entries")} could not be read`);
    if (data.ending === "timed_out") why.push("the time was up");
    else if (data.ending !== "complete") why.push("it was interrupted");
    byId("warning").textContent = `Partial: ${why.join(", and ")}. Figures are lower bounds.`;
    byId("warning").hidden = false;
  }
  const cards = [
    ["Files", count(summary.total_files)],
    ["Folders", count(summary.total_folders)],
    ["Size", size(summary.total_size_bytes)],
    ["On disk", size(summary.total_disk_usage_bytes)],
    ["Deepest level", count(summary.max_depth)],
    ["Files per folder", summary.avg_files_per_folder.toFixed(2)],
    ["Empty folders", count(summary.empty_folder_count)],
    ["Links", count(summary.total_links)],
  ];
  byId("cards").append(...cards.map(([label, figure]) =>
    element("div", {class: "card"}, element("span", {}, label), element("b", {}, figure))));
  byId("about").textContent = "Made by trawl profile --html. Nothing on this page is loaded from elsewhere.";
}

// --- the map ---------------------------------------------------------------------------------------
//
// Areas are files below a folder, or their bytes. A folder's area has that of its folders in it, that
// of its own files, and one for folders that are too small to be in the tree.

const kHues = [187, 32, 262, 96, 338, 214, 58, 290];
const kHeader = 20; // of a folder with others drawn in it

const map = {root: data.tree, folder: data.tree, measure: "bytes", cells: []};

function link(folder) {
  const pending = [folder];
  while (pending.length > 0) {
    const parent = pending.pop();
    for (const child of parent.children) {
      child.parent = parent;
      pending.push(child);
    }
  }
}

const pathOf = (folder) => (folder.parent ? [...pathOf(folder.parent), folder] : [folder]);

function partsOf(folder) {
  const measure = map.measure;
  const own = folder[`own_${measure}`];
  const parts = folder.children.map((child) => ({folder: child, value: child[measure]}));
  const rest = folder[measure] - own - parts.reduce((sum, part) => sum + part.value, 0);
  if (own > 0) parts.push({own: folder, value: own});
  if (rest > 0) parts.push({others: folder, value: rest});
  return parts.filter((part) => part.value > 0).sort((a, b) => b.value - a.value);
}

// Squarified: rows along the shorter side, each closed before its areas become less square.
function squarify(parts, x, y, width, height) {
  const total = parts.reduce((sum, part) => sum + part.value, 0);
  const scale = total > 0 ? (width * height) / total : 0;
  const boxes = [];
  let begin = 0;
  while (begin < parts.length && width > 0 && height > 0) {
    const side = Math.min(width, height);
    let sum = 0;
    let worst = Infinity;
    let end = begin;
    while (end < parts.length) {
      const next = sum + parts[end].value * scale;
      const largest = parts[begin].value * scale;
      const smallest = parts[end].value * scale;
      const ratio = Math.max((side * side * largest) / (next * next), (next * next) / (side * side * smallest));
      if (ratio > worst) break;
      worst = ratio;
      sum = next;
      ++end;
    }
    const thick = sum / side;
    let at = 0;
    for (; begin < end; ++begin) {
      const long = (parts[begin].value * scale) / thick;
      boxes.push(width >= height ? {part: parts[begin], x, y: y + at, width: thick, height: long}
        : {part: parts[begin], x: x + at, y, width: long, height: thick});
      at += long;
    }
    if (width >= height) { x += thick; width -= thick; } else { y += thick; height -= thick; }
  }
  return boxes;
}

const amount = (value) => (map.measure === "bytes" ? size(value) : counted(value, "file", "files"));

function textOf(part) {
  if (part.folder) return part.folder.name;
  if (part.own) return "files directly here";
  return "smaller folders";
}

function linesOf(part) {
  const lines = [part.folder ? pathOf(part.folder).map((each) => each.name).join("/") : textOf(part)];
  lines.push(`${amount(part.value)}, ${percent(part.value, map.root[map.measure])} of the whole`);
  if (part.folder) {
    const {files, bytes, folders} = part.folder;
    lines.push(`${size(bytes)} in ${counted(files, "file", "files")}, ${counted(folders, "folder", "folders")} below`);
  }
  return lines;
}

function drawCell(box, hue, level) {
  const {part} = box;
  const enters = part.folder && part.folder.children.length > 0;
  const kind = part.folder ? (enters ? "enter" : "") : part.own ? "plain" : "others";
  const cell = element("button", {type: "button", class: `cell ${kind}`, tabindex: "-1", "aria-disabled": enters ? undefined : "true",
    "aria-label": [...linesOf(part)].join(", ")});
  cell.style.left = `${box.x}px`;
  cell.style.top = `${box.y}px`;
  cell.style.width = `${box.width}px`;
  cell.style.height = `${box.height}px`;
  cell.style.setProperty("--hue", hue);
  cell.style.setProperty("--level", level);
  if (box.width >= 34 && box.height >= 18) {
    const nested = enters && box.height > kHeader + 24 && box.width > 48;
    const both = `${textOf(part)} `;
    if (nested) cell.append(element("span", {class: "name"}, both, element("span", {class: "amount", style: "display:inline"}, amount(part.value))));
    else {
      cell.append(element("span", {class: "name"}, textOf(part)));
      if (box.height >= 40 && box.width >= 64) cell.append(element("span", {class: "amount"}, amount(part.value)));
    }
  }
  withTip(cell, () => linesOf(part));
  if (enters) cell.addEventListener("click", () => enter(part.folder, true));
  byId("cells").append(cell);
  map.cells.push({cell, box});
}

function drawParts(folder, x, y, width, height, hue, level) {
  squarify(partsOf(folder), x, y, width, height).forEach((box, index) => {
    if (box.width < 2 || box.height < 2) return;
    const own = hue === undefined ? kHues[index % kHues.length] : hue;
    drawCell(box, own, level);
    const inner = {width: box.width - 6, height: box.height - kHeader - 4};
    if (box.part.folder?.children.length > 0 && level < 3 && inner.width > 42 && inner.height > 20) {
      drawParts(box.part.folder, box.x + 3, box.y + kHeader + 1, inner.width, inner.height, own, level + 1);
    }
  });
}

function drawMap() {
  const cells = byId("cells");
  hideTip();
  cells.replaceChildren();
  map.cells = [];
  drawParts(map.folder, 0, 0, cells.clientWidth, cells.clientHeight, undefined, 0);
  if (map.cells.length > 0) map.cells[0].cell.tabIndex = 0;

  const path = pathOf(map.folder);
  const crumbs = path.map((folder, index) => element("button", {type: "button", class: "name",
    "aria-current": folder === map.folder ? "true" : undefined, onclick: () => enter(folder, true)},
    index === 0 ? data.path : folder.name));
  byId("crumbs").replaceChildren(...crumbs.flatMap((crumb, index) => (index === 0 ? [crumb] : [element("i", {}, "/"), crumb])));
  byId("measure").replaceChildren(...[["bytes", "Size"], ["files", "Files"]].map(([measure, label]) =>
    element("button", {type: "button", "aria-pressed": String(map.measure === measure), onclick: () => measureBy(measure)}, label)));
}

function enter(folder, focus) {
  map.folder = folder;
  drawMap();
  if (focus && map.cells.length > 0) map.cells[0].cell.focus({preventScroll: true});
}

function measureBy(measure) {
  map.measure = measure;
  drawMap();
  byId("measure").querySelector('[aria-pressed="true"]').focus({preventScroll: true});
}

// The next cell in that direction: the nearest, where being off the line counts double.
function move(key) {
  const centre = (box) => [box.x + Math.min(box.width, 60) / 2, box.y + Math.min(box.height, kHeader) / 2];
  const from = map.cells.find(({cell}) => cell === document.activeElement);
  if (!from) return;
  const [x, y] = centre(from.box);
  let best;
  let least = Infinity;
  for (const candidate of map.cells) {
    const [cx, cy] = centre(candidate.box);
    const across = key === "ArrowLeft" || key === "ArrowRight";
    const ahead = {ArrowLeft: x - cx, ArrowRight: cx - x, ArrowUp: y - cy, ArrowDown: cy - y}[key];
    const distance = ahead + 2 * Math.abs(across ? cy - y : cx - x);
    if (ahead > 0.5 && distance < least) {
      least = distance;
      best = candidate.cell;
    }
  }
  if (best) {
    from.cell.tabIndex = -1;
    best.tabIndex = 0;
    best.focus();
  }
}

function startMap() {
  const tree = data.tree;
  if (!tree || tree.files === 0) return;
  link(tree);
  if (tree.bytes === 0) map.measure = "files";
  byId("map").hidden = false;
  byId("map").addEventListener("keydown", (event) => {
    if (event.key === "Escape" && map.folder.parent) enter(map.folder.parent, true);
    else if (event.key.startsWith("Arrow") && event.target.closest("#cells")) move(event.key);
    else return;
    event.preventDefault();
  });
  let width = 0;
  new ResizeObserver(() => {
    if (byId("cells").clientWidth !== width) {
      width = byId("cells").clientWidth;
      drawMap();
    }
  }).observe(byId("cells"));
}

// --- histograms ------------------------------------------------------------------------------------

// `rows`: label, long label, files, bytes (or none).
function histogram(title, rows, unit = ["file", "files"]) {
  if (rows.length === 0) return;
  const most = (at) => Math.max(1, ...rows.map((row) => row[at] ?? 0));
  const mostFiles = most(2);
  const mostBytes = most(3);
  const hasBytes = rows.some((row) => row[3] !== undefined);
  const key = element("span", {class: "key"}, element("i", {class: "files"}), unit[1]);
  if (hasBytes) key.append(element("i", {class: "bytes"}), "bytes");
  const list = element("ul", {class: "columns"});
  for (const [label, long, files, bytes] of rows) {
    const bar = (kind, part) => {
      const made = element("i", {class: kind});
      made.style.height = part === 0 ? "0" : `max(2px, ${100 * part}%)`;
      return made;
    };
    const pair = element("div", {class: "pair"}, bar("files", files / mostFiles));
    if (hasBytes) pair.append(bar("bytes", bytes / mostBytes));
    const lines = [long, counted(files, unit[0], unit[1]), ...(hasBytes ? [size(bytes)] : [])];
    const item = element("li", {"aria-label": lines.join(", ")}, pair, element("div", {class: "label", "aria-hidden": "true"}, label));
    withTip(item, () => lines);
    list.append(item);
  }
  byId("histograms").append(element("section", {class: "panel"}, element("h2", {}, title, key), list));
}

function trimmed(rows) {
  const used = rows.map((row) => row[2] > 0);
  return used.includes(true) ? rows.slice(used.indexOf(true), used.lastIndexOf(true) + 1) : [];
}

// Powers of two in the data; here two share a column, from 1 KiB on.
function sizeRows() {
  const rows = [["0", "empty", 0, 0], ["<1K", "below 1 KiB", 0, 0]];
  data.size_histogram.forEach((bucket, power) => {
    const at = power === 0 ? 0 : power < 11 ? 1 : 2 + Math.floor((power - 11) / 2);
    if (at >= rows.length) {
      const from = 4 ** (at - 2) * 1024;
      rows.push([size(from).replace(/(?:\.0)? (.).*/, "$1"), `${size(from)} to ${size(4 * from)}`, 0, 0]);
    }
    rows[at][2] += bucket.files;
    rows[at][3] += bucket.bytes;
  });
  return data.size_histogram.length > 0 ? rows : [];
}

const kAges = [["future", "in the future"], ["1 h", "within 1 hour"], ["1 d", "1 hour to 1 day"], ["1 w", "1 to 7 days"],
  ["30 d", "7 to 30 days"], ["90 d", "30 to 90 days"], ["1 y", "90 days to 1 year"], ["2 y", "1 to 2 years"],
  ["5 y", "2 to 5 years"], ["10 y", "5 to 10 years"], ["older", "over 10 years"]];
const ageRows = (buckets) => trimmed(buckets.map((bucket, index) => [...kAges[index], bucket.files, bucket.bytes]));

// At most 24 columns.
function depthRows() {
  const depths = data.depth_distribution;
  const step = Math.max(1, Math.ceil(depths.length / 24));
  const rows = [];
  for (let from = 0; from < depths.length; from += step) {
    const to = Math.min(from + step, depths.length) - 1;
    const folders = depths.slice(from, to + 1).reduce((sum, each) => sum + each, 0);
    rows.push([String(from), from === to ? `level ${from}` : `levels ${from} to ${to}`, folders]);
  }
  return rows;
}

// --- tables ----------------------------------------------------------------------------------------

// `columns`: label, value (what is sorted by), and what is shown of it. Figures are on the right.
function table(title, note, columns, rows, more, wide) {
  if (rows.length === 0) return;
  const body = element("tbody");
  const draw = (sorted) => body.replaceChildren(...sorted.map((row) => element("tr", {},
    ...columns.map((column) => element("td", {class: column.kind}, column.show(row))))));
  const heads = columns.map((column) => {
    if (column.kind === "share") return element("th", {scope: "col", "aria-label": "share"});
    const head = element("th", {scope: "col", class: column.kind});
    head.append(element("button", {type: "button", onclick: () => {
      const first = column.kind === "number" ? "descending" : "ascending";
      const other = first === "descending" ? "ascending" : "descending";
      const order = head.getAttribute("aria-sort") === first ? other : first;
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      draw([...rows].sort((a, b) => {
        const [left, right] = [column.value(a), column.value(b)];
        return left < right ? -sign : left > right ? sign : 0;
      }));
    }}, column.label));
    return head;
  });
  draw(rows);
  const panel = element("section", {class: wide ? "panel wide" : "panel"},
    element("h2", {}, title, note ? element("small", {}, note) : ""),
    element("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": title},
      element("table", {}, element("thead", {}, element("tr", {}, ...heads)), body)));
  if (more) panel.append(element("p", {class: "more"}, more));
  byId("tables").append(panel);
}

const text = (label, value) => ({label, value, show: (row) => name(value(row)), kind: "text"});
const number = (label, value) => ({label, value, show: (row) => count(value(row)), kind: "number"});
const bytes = (label, value) => ({label, value, show: (row) => size(value(row)), kind: "number"});
const moment = (label, value) => ({label, value, show: (row) => time(value(row)), kind: "number"});
function share(kind, value, whole) {
  return {kind: "share", show: (row) => {
    const bar = element("i", {class: kind});
    bar.style.width = `${whole > 0 ? (100 * value(row)) / whole : 0}%`;
    return bar;
  }};
}

function approximately(key) {
  const found = data.approximate.find((each) => each.table === key);
  return found ? `counts are up to ${count(found.files_error)} too small` : "";
}

function tables() {
  const {total_files: files, total_folders: folders} = data.summary;
  const most = (rows, key) => Math.max(1, ...rows.map((row) => row[key]));
  const measured = (label, value) => [text(label, value), number("files", (row) => row.files), share("files", (row) => row.files, files),
    bytes("size", (row) => row.bytes), share("bytes", (row) => row.bytes, data.summary.total_size_bytes)];
  const file = [text("path", (row) => below(row.path)), bytes("size", (row) => row.size), moment("modified", (row) => row.mtime.seconds)];

  table("Extensions", approximately("extensions"), measured("extension", (row) => row.extension || "no extension"), data.extensions);
  table("Largest files", "", file, data.largest_files);
  table("Folders with most files", "", [text("path", (row) => below(row.path)), number("files", (row) => row.files),
    share("files", (row) => row.files, most(data.top_folders_by_file_count, "files"))], data.top_folders_by_file_count);
  table("Folder names", approximately("folder_names"), [text("name", (row) => row.name), number("folders", (row) => row.folders),
    share("files", (row) => row.folders, most(data.folder_names, "folders"))], data.folder_names);
  table("Oldest files", "", file, data.oldest_files);
  table("Newest files", "", file, data.newest_files);

  const duplicates = data.duplicates;
  const from = duplicates.from_size > 1 ? `, of files from ${size(duplicates.from_size)} on` : "";
  table("Duplicates?", `candidates by name and size alone; ${counted(duplicates.groups, "group", "groups")}, ` +
    `${size(duplicates.wasted_bytes)} too much${from}`, [
    {label: "name", value: (row) => row.name, kind: "text", show: (row) => element("div", {}, name(row.name),
      element("ul", {}, ...row.paths.map(({path}) => element("li", {}, name(below(path)))),
        ...(row.files > row.paths.length ? [element("li", {}, `and ${count(row.files - row.paths.length)} more`)] : [])))},
    number("files", (row) => row.files), bytes("size", (row) => row.size), bytes("too much", (row) => row.wasted_bytes)],
  duplicates.candidates, "", true);

  const owner = (id) => (row) => row.name ?? String(row[id]);
  table("Owners", approximately("owners"), measured("user", owner("uid")), data.owners);
  table("Groups", approximately("groups"), measured("group", owner("gid")), data.groups);
  const types = Object.entries(data.file_types).filter(([, entries]) => entries > 0);
  table("Types", "", [text("type", (row) => row[0].replace("_", " ")), number("entries", (row) => row[1]),
    share("files", (row) => row[1], files + folders)], types);
  const links = data.hard_links;
  table("Hard links and sparse files", "", [text("what", (row) => row[0]), {...number("figure", (row) => row[1]), show: (row) => row[2](row[1])}], [
    ["names with further links", links.names, count], ["files of these names", links.files, count],
    ["counted more than once", links.repeated_bytes, size], ["of it on disk", links.repeated_disk_usage, size],
    ["sparse files", data.sparse.files, count], ["their holes", data.sparse.bytes, size]]);

  const empty = data.empty_folders;
  const unlisted = data.summary.empty_folder_count - empty.length;
  table("Empty folders", "", [text("path", below)], empty, unlisted > 0 ? `and ${count(unlisted)} more` : "");
  const unsaid = data.error_count - data.errors.length;
  table("What could not be read", "", [text("path", (row) => row.path), text("why", (row) => row.message)], data.errors,
    unsaid > 0 ? `and ${count(unsaid)} more` : "", true);
}

heading();
startMap();
histogram("Sizes", trimmed(sizeRows()));
histogram("Modified", ageRows(data.modified_histogram));
histogram("Folders by depth", depthRows(), ["folder", "folders"]);
histogram("Accessed", ageRows(data.accessed_histogram));
tables();
