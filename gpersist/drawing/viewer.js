"use strict";
// Places boxes as placing.py does, for whatever scopes are open. All texts of the graph go in by textContent or setAttribute, none as markup.
const DATA = JSON.parse(document.getElementById("graph").textContent);
const { parts, scopes, size } = DATA;
const SVG = "http://www.w3.org/2000/svg";
const EDGE = { data: "#52606d", control: "#9aa5b1", back: "#b45309" };
const FRAMES = { loop: ["#b45309", "6 3"], branch: ["#7b5ea7", "6 3"], function: ["#2f6f4f", "2 3"], series: ["#1f2933", "1 3"] };
const open = new Set(DATA.open);
let selected = -1, view = { x: 0, y: 0, scale: 1 }, drawn = null;
const canvas = document.getElementById("canvas"), layer = document.getElementById("layer"), panel = document.getElementById("panel");
const byName = new Map();
parts.forEach((part, number) => { if (!byName.has(part.name)) byName.set(part.name, number); });

function children(number) { return scopes[number] ? [...scopes[number].parts, ...scopes[number].aside] : []; }
function mean(values) { return values.reduce((sum, value) => sum + value, 0) / values.length; }

function spread(wanted, widths) {
  const offsets = [0], pools = [];
  for (let i = 1; i < widths.length; i++) offsets.push(offsets[i - 1] + (widths[i - 1] + widths[i]) / 2 + size.gapX);
  wanted.forEach((x, i) => {
    let total = x - offsets[i], count = 1;
    while (pools.length && pools[pools.length - 1][0] / pools[pools.length - 1][1] >= total / count) {
      const [before, number] = pools.pop();
      total += before;
      count += number;
    }
    pools.push([total, count]);
  });
  return pools.flatMap(([total, count]) => Array(count).fill(total / count)).map((level, i) => level + offsets[i]);
}

function centresOf(scope, widthOf) {
  const above = {}, below = {}, centres = {};
  for (const row of scope.layers) for (const box of row) { above[box] = []; below[box] = []; }
  for (const { stops } of scope.routes) for (let i = 1; i < stops.length; i++) { above[stops[i]].push(stops[i - 1]); below[stops[i - 1]].push(stops[i]); }
  for (const row of scope.layers) {
    let x = -row.reduce((sum, box) => sum + widthOf(box) + size.gapX, 0) / 2;
    for (const box of row) { centres[box] = x + widthOf(box) / 2; x += widthOf(box) + size.gapX; }
  }
  for (let sweep = 0; sweep < size.sweeps; sweep++) {
    const rows = sweep % 2 ? [...scope.layers].reverse() : scope.layers;
    for (const row of rows) {
      const wanted = row.map((box) => {
        const near = sweep === size.sweeps - 1 ? [...above[box], ...below[box]] : sweep % 2 ? below[box] : above[box];
        return near.length ? mean(near.map((other) => centres[other])) : centres[box];
      });
      spread(wanted, row.map(widthOf)).forEach((x, i) => { centres[row[i]] = x; });
    }
  }
  return centres;
}

function ports(ends, centres, widthOf) {
  const byBox = new Map(), found = [];
  ends.forEach(([box], i) => { if (!byBox.has(box)) byBox.set(box, []); byBox.get(box).push(i); });
  for (const [box, numbers] of byBox) {
    const step = Math.min(14, 0.75 * widthOf(box) / numbers.length);
    numbers.sort((a, b) => ends[a][1] - ends[b][1]).forEach((i, place) => { found[i] = centres[box] + (place - (numbers.length - 1) / 2) * step; });
  }
  return found;
}

// The inside of an open scope: spots of its parts, lines, and its size; insides of open parts first, without recursion.
function insides() {
  const ordered = [0], local = new Map();
  for (const number of ordered) for (const child of children(number)) if (open.has(child)) ordered.push(child);
  const extent = (number) => local.has(number) ? local.get(number).extent : [parts[number].width, size.height];
  for (const number of ordered.reverse()) local.set(number, insideOf(scopes[number], extent));
  return local;
}

function insideOf(scope, extent) {
  const count = scope.parts.length, spots = new Map(), bands = {};
  const widthOf = (box) => box < count ? extent(scope.parts[box])[0] : size.point;
  const centres = centresOf(scope, widthOf), all = scope.layers.flat();
  const least = all.length ? Math.min(...all.map((box) => centres[box] - widthOf(box) / 2)) : 0;
  let right = all.length ? Math.max(...all.map((box) => centres[box] + widthOf(box) / 2)) - least : 0;
  for (const box of all) centres[box] += size.pad - least;
  const depthOf = {}, crowd = scope.layers.map(() => 0), top = size.head + size.pad;
  scope.layers.forEach((row, depth) => { for (const box of row) depthOf[box] = depth; });
  for (const { stops } of scope.routes) for (const stop of stops.slice(0, -1)) crowd[depthOf[stop]]++;
  let y = top;
  scope.layers.forEach((row, depth) => {
    const height = Math.max(0, ...row.filter((box) => box < count).map((box) => extent(scope.parts[box])[1]));
    for (const box of row) {
      const own = box < count ? extent(scope.parts[box])[1] : height;
      bands[box] = { start: y, top: y + (height - own) / 2, bottom: y + (height + own) / 2, end: y + height };
      if (box < count) spots.set(scope.parts[box], [centres[box] - widthOf(box) / 2, bands[box].top]);
    }
    y += height + size.gapY + Math.min(2 * crowd[depth], 60);
  });
  const starts = ports(scope.routes.map(({ stops }) => [stops[0], centres[stops[1]]]), centres, widthOf);
  const ends = ports(scope.routes.map(({ stops }) => [stops[stops.length - 1], centres[stops[stops.length - 2]]]), centres, widthOf);
  const lines = scope.routes.map(({ stops, back, edge }, i) => {
    const first = bands[stops[0]], last = bands[stops[stops.length - 1]];
    const points = [[starts[i], first.bottom], [starts[i], first.end]];
    for (const stop of stops.slice(1, -1)) points.push([centres[stop], bands[stop].start], [centres[stop], bands[stop].end]);
    points.push([ends[i], last.start], [ends[i], last.top]);
    return { points: back ? points.reverse() : points, back, edge };
  });
  const room = Math.max(right, size.loose);
  let x = size.pad, row = 0;
  for (const box of scope.loose) {
    const [width, height] = extent(scope.parts[box]);
    if (x > size.pad && x + width > size.pad + room) { x = size.pad; y += row + size.gapX; row = 0; }
    spots.set(scope.parts[box], [x, y]);
    right = Math.max(right, x + width - size.pad);
    x += width + size.gapX;
    row = Math.max(row, height);
  }
  if (scope.loose.length) y += row + size.gapY;
  let bottom = spots.size ? y - size.gapY : top;
  if (scope.aside.length) {
    let left = spots.size ? right + size.asideGap + size.pad : size.pad, at = top, column = 0;
    const tallest = Math.max(bottom, at + 6 * (size.height + size.gapX));
    for (const part of scope.aside) {
      const [width, height] = extent(part);
      if (at + height > tallest && column) { left += column + size.gapX; at = top; column = 0; }
      spots.set(part, [left, at]);
      at += height + size.gapX;
      column = Math.max(column, width);
      bottom = Math.max(bottom, at - size.gapX);
    }
    right = left + column - size.pad;
  }
  return { spots, lines, extent: [right + 2 * size.pad, bottom + size.pad] };
}

function picture() {
  const local = insides(), boxes = new Map([[0, [0, 0, ...local.get(0).extent]]]), lines = [];
  for (const [number, [x, y]] of boxes) { // grows while it is walked
    if (!local.has(number)) continue;
    const { spots, lines: own } = local.get(number);
    for (const [part, [left, top]] of spots) boxes.set(part, [x + left, y + top, ...(local.has(part) ? local.get(part).extent : [parts[part].width, size.height])]);
    for (const line of own) lines.push({ ...line, points: line.points.map(([left, top]) => [x + left, y + top]) });
  }
  return { boxes, lines };
}

function make(kind, attributes, text) {
  const element = document.createElementNS(SVG, kind);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function curve(points) {
  let [x, y] = points[0], path = `M${x} ${y}`;
  for (const [toX, toY] of points.slice(1)) {
    if (toX === x && toY === y) continue; // a piece without length would turn the arrow's head
    const middle = (y + toY) / 2;
    path += toX === x ? `V${toY}` : `C${x} ${middle} ${toX} ${middle} ${toX} ${toY}`;
    [x, y] = [toX, toY];
  }
  return path;
}

function lineElement({ points, back, edge: [source, target, tensors, controls] }) {
  const kind = back ? "back" : tensors ? "data" : "control", isNear = selected === source || selected === target;
  const line = make("path", { class: "edge", d: curve(points), fill: "none", stroke: isNear ? "#c62828" : EDGE[kind], "marker-end": `url(#${kind})`,
    "stroke-width": (isNear ? 1.5 : 0) + 1 + Math.log2(Math.max(tensors, 1)) / 3, "stroke-dasharray": kind === "data" ? "none" : "5 3" });
  line.append(make("title", {}, `${parts[source].name} to ${parts[target].name}: ${tensors} tensors, ${controls} control edges`));
  return line;
}

function countElement({ points, back, edge: [, , tensors] }) {
  const [, [x, y], [toX, toY]] = back ? [...points].reverse() : points;
  return make("text", { class: "count", x: (x + toX) / 2, y: (y + toY) / 2 + 4 }, tensors);
}

function boxElement(number, [x, y, width, height]) {
  const part = parts[number], isOpen = open.has(number), hue = part.hues.reduce((most, one) => one[1] > most[1] ? one : most)[0];
  const group = make("g", { class: "part", tabindex: 0, role: "button", "aria-label": `${part.label}, ${part.note}`, "data-part": number });
  group.append(make("title", {}, part.about));
  const round = isOpen ? 6 : { variable: 20, input: 12, constant: 12 }[part.kind] || 4;
  if (scopes[number] && !isOpen) for (const by of part.kind === "series" ? [6, 3] : [3]) group.append(make("rect", { x: x + by, y: y + by, width, height, rx: round, fill: "#fff", stroke: hue }));
  const [frame, dashes] = FRAMES[part.kind] || ["#616e7c", "none"], isEnd = part.kind === "input" || part.kind === "output";
  group.append(make("rect", { x, y, width, height, rx: round, class: number === selected ? "box selected" : "box",
    fill: isOpen ? (part.depth % 2 ? "#f7f8fa" : "#eef1f4") : part.tint, stroke: isOpen ? frame : isEnd ? "#1f2933" : hue, "stroke-width": isEnd ? 2.5 : 1.2,
    "stroke-dasharray": isOpen ? dashes : part.kind === "group" ? "4 3" : "none" }));
  let start = 0;
  for (const [colour, share] of part.hues) {
    group.append(make("rect", isOpen ? { x: x + start * width, y, width: share * width, height: 5, fill: colour }
      : { x: x + (round > 4 ? 12 : 1), y: y + 2 + start * (height - 4), width: 7, height: share * (height - 4), fill: colour }));
    start += share;
  }
  const left = x + (isOpen ? 10 : round > 4 ? 24 : 14);
  group.append(make("text", { class: "label", x: left, y: y + (isOpen ? 21 : 17) }, part.fit));
  if (!isOpen) group.append(make("text", { class: "note", x: left, y: y + 32 }, part.fitNote));
  for (const [many, at] of isOpen ? [] : [[part.inward, y], [part.outward, y + height + 7]])
    if (many) group.append(make("path", { d: `M${x + width - 10} ${at - 7}v7`, stroke: EDGE.data, "stroke-width": 1.5 }));
  return group;
}

function draw() {
  drawn = picture();
  const frames = [], boxes = [];
  for (const [number, box] of drawn.boxes) if (number) (open.has(number) ? frames : boxes).push(boxElement(number, box));
  layer.replaceChildren(...frames, ...drawn.lines.map(lineElement), ...boxes, ...drawn.lines.filter(({ edge }) => edge[2] > 1).map(countElement));
  move();
}

function move() { layer.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.scale})`); }
function fitAll() {
  const [, , width, height] = drawn.boxes.get(0), room = canvas.getBoundingClientRect();
  view.scale = Math.min(1.2, Math.max(0.35, Math.min(room.width / (width + 20), room.height / (height + 20))));
  view.x = Math.max(10, (room.width - width * view.scale) / 2);
  view.y = 10;
  move();
}
function zoom(by, x, y) {
  const scale = Math.min(4, Math.max(0.03, view.scale * by));
  view = { x: x - (x - view.x) * scale / view.scale, y: y - (y - view.y) * scale / view.scale, scale };
  move();
}
function zoomMiddle(by) { const room = canvas.getBoundingClientRect(); zoom(by, room.width / 2, room.height / 2); }

// Opens or closes a scope, and keeps it where it is on the screen.
function toggle(number) {
  if (!scopes[number] || !number) return;
  const before = drawn.boxes.get(number);
  if (!open.delete(number)) open.add(number);
  draw();
  const after = drawn.boxes.get(number);
  view.x += (before[0] - after[0]) * view.scale;
  view.y += (before[1] - after[1]) * view.scale;
  move();
}
function reveal(number) {
  for (let above = parts[number].parent; above > 0; above = parts[above].parent) open.add(above);
  select(number);
  const [x, y, width, height] = drawn.boxes.get(number), room = canvas.getBoundingClientRect();
  view.scale = Math.max(view.scale, 0.7);
  view.x = room.width / 2 - (x + Math.min(width, 300) / 2) * view.scale;
  view.y = room.height / 3 - (y + Math.min(height, 100) / 2) * view.scale;
  move();
}
function select(number) { selected = number; tell(); draw(); }

function element(kind, text, action) {
  const found = document.createElement(kind);
  found.textContent = text;
  if (action) { found.className = "link"; found.addEventListener("click", action); }
  return found;
}
function list(title, items) {
  if (!items.length) return [];
  const rows = document.createElement("ul");
  for (const [text, action] of items.slice(0, 60)) { const row = document.createElement("li"); row.append(element(action ? "button" : "span", text, action)); rows.append(row); }
  if (items.length > 60) rows.append(element("li", `and ${items.length - 60} more`));
  return [element("h3", title), rows];
}
function tell() {
  if (selected < 0) { panel.replaceChildren(element("p", "Click a box to see what it is; click it again to open or close a scope. Wheel: zoom. Drag: move.")); return; }
  const part = parts[selected], scope = scopes[part.parent], known = part.node, edges = scope ? scope.edges : [];
  const root = part.name.startsWith(part.root) ? part.root : "";
  const inputs = (known ? known.inputs : []).map((text) => {
    const target = byName.get(root + text.replace(/^\^/, "").split(":")[0]);
    return [text, target === undefined ? null : () => reveal(target)];
  });
  const side = (from, to) => edges.filter((edge) => edge[from] === selected).map((edge) => [`${parts[edge[to]].label} (${edge[2]} tensors, ${edge[3]} control)`, () => reveal(edge[to])]);
  const items = [element("h2", part.name || DATA.title), element("p", part.about.split("\n").slice(1).join("\n"))];
  if (scopes[selected]) items.push(element("button", open.has(selected) ? "close" : "open", () => { toggle(selected); tell(); }));
  items.push(...list("takes from", side(1, 0)), ...list("gives to", side(0, 1)), ...list("inputs", inputs));
  if (known) items.push(...list("attributes", known.attrs.map(([key, value]) => [`${key} = ${value}`, null])));
  items.push(...list("with", part.absorbed.map((text) => [text, null])), ...list("in it", children(selected).map((child) => [`${parts[child].label} — ${parts[child].note}`, () => reveal(child)])));
  panel.replaceChildren(...items);
}
function search(text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) { tell(); return; }
  const found = [];
  for (let number = 1; number < parts.length && found.length < 61; number++) {
    const part = parts[number];
    if (part.name.toLowerCase().includes(wanted) || (part.node && part.note.toLowerCase().includes(wanted))) found.push([`${part.name} — ${part.note}`, () => reveal(number)]);
  }
  panel.replaceChildren(...(found.length ? list("found", found) : [element("p", "nothing is called so")]));
}

let held = null;
canvas.addEventListener("pointerdown", (event) => { held = { x: event.clientX, y: event.clientY, from: { ...view }, moved: false }; });
window.addEventListener("pointermove", (event) => {
  if (!held || !event.buttons) return;
  const x = event.clientX - held.x, y = event.clientY - held.y;
  held.moved = held.moved || Math.abs(x) + Math.abs(y) > 4;
  if (held.moved) { view.x = held.from.x + x; view.y = held.from.y + y; move(); }
});
canvas.addEventListener("click", (event) => {
  if (held && held.moved) return;
  const group = event.target.closest("[data-part]"), number = group ? Number(group.dataset.part) : -1;
  if (number === selected && number >= 0) toggle(number), tell();
  else select(number);
});
canvas.addEventListener("keydown", (event) => {
  const group = event.target.closest("[data-part]");
  if (!group || (event.key !== "Enter" && event.key !== " ")) return;
  event.preventDefault();
  const number = Number(group.dataset.part);
  selected = number;
  toggle(number);
  select(number);
  const again = layer.querySelector(`[data-part="${number}"]`);
  if (again) again.focus();
});
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const room = canvas.getBoundingClientRect();
  zoom(Math.exp(-event.deltaY / 500), event.clientX - room.left, event.clientY - room.top);
}, { passive: false });
document.getElementById("search").addEventListener("input", (event) => search(event.target.value));
document.getElementById("in").addEventListener("click", () => zoomMiddle(1.3));
document.getElementById("out").addEventListener("click", () => zoomMiddle(1 / 1.3));
document.getElementById("fit").addEventListener("click", fitAll);
document.getElementById("fold").addEventListener("click", () => { open.clear(); open.add(0); draw(); fitAll(); });
document.getElementById("title").textContent = DATA.title;
document.getElementById("told").textContent = DATA.told;
for (const [name, colour, count] of DATA.legend) {
  const item = element("span", `${name}: ${count}`), swatch = document.createElement("i");
  swatch.style.background = colour;
  item.prepend(swatch);
  document.getElementById("legend").append(item);
}
tell();
draw();
fitAll();
