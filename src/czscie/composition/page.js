"use strict";

const page = JSON.parse(document.getElementById("data").textContent);
const compared = page.was !== null;

const KINDS = {
  interpreter: "Interpreter", library: "Standard library", wheel: "Distribution", own: "The program itself",
  launcher: "Launcher", extra: "Other parts", container: "Container",
};
const FORMS = {
  archive: "In the import archive", module: "Stays a file", bare: "Stays a file, without bytecode",
  file: "Other file", kept: "Not installed",
};
const CHANGES = { more: "Larger or added", less: "Smaller or removed" };
const ROWS = 12;
const SMALLEST = 130; // square pixels of a cell
const MOST = 160;

const $ = (id) => document.getElementById(id);
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/* ---- sizes ---- */

function bytes(size) {
  for (const [unit, factor] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) {
    if (Math.abs(size) >= factor * 0.99995) return `${(size / factor).toFixed(1)} ${unit}`;
  }
  return `${size} B`;
}

function signed(size) {
  return size > 0 ? `+${bytes(size)}` : size < 0 ? `−${bytes(-size)}` : "0 B";
}

function percent(part, whole) {
  return whole ? `${(100 * part / whole).toFixed(1)} %` : "";
}

/** How much a piece changed, parts counted one by one: what cancels out is change, too. */
function churn(piece, unit) {
  return piece.parts.length ? sum(piece.parts.map((part) => churn(part, unit)))
    : Math.abs(difference(piece, unit));
}

function difference(piece, unit) {
  return piece[unit] - piece.was[unit];
}

function weight(piece, unit) {
  return compared ? churn(piece, unit) : piece[unit];
}

function inOrder(piece, unit) {
  return piece.parts
    .map((part, index) => ({ part, index, weight: weight(part, unit) }))
    .sort((one, other) => other.weight - one.weight);
}

/* ---- words ---- */

/** A name whose direction of writing changes nothing around it. */
const isolated = (text) => `\u2068${text}\u2069`;

function change(piece) {
  if (!piece.was.there) return "added";
  if (!piece.there) return "removed";
  const grown = difference(piece, state.unit);
  return grown > 0 ? "grown" : grown < 0 ? "shrunk" : "changed";
}

function describe(piece, whole) {
  const name = isolated(piece.name) + (piece.detail ? ` ${isolated(piece.detail)}` : "");
  if (compared) {
    const numbers = `${signed(difference(piece, "packed"))} packed, ${signed(difference(piece, "installed"))} installed`;
    return `${name}, ${change(piece)}: ${numbers}`;
  }
  const share = percent(piece[state.unit], whole[state.unit]);
  const of = whole === piece || !share ? "" : `, ${share} of ${isolated(whole.name)}`;
  return `${name}: ${bytes(piece.packed)} packed, ${bytes(piece.installed)} installed${of}`;
}

function explain(piece) {
  const form = FORMS[piece.form];
  return form ? form + (piece.why && `: ${piece.why}`) : "";
}

/* ---- what is shown ---- */

const state = { path: [], unit: "packed", all: false };

/** The pieces from the whole to the one that the address names. */
function trail() {
  const found = [page.root];
  for (const index of state.path) {
    const part = found[found.length - 1].parts[index];
    if (!part || !part.parts.length) break;
    found.push(part);
  }
  return found;
}

function open(path) {
  state.all = false;
  location.hash = path.length ? path.join("/") : "";
}

function readAddress() {
  state.path = location.hash.slice(1).split("/").filter((text) => /^\d+$/.test(text)).map(Number);
  state.path.length = trail().length - 1;
}

/** Puts the focus on a cell, by its index in the piece, or on the first one. */
function focusCell(index) {
  const cells = [...$("map").querySelectorAll("button")];
  const cell = cells.find((each) => each.dataset.index === String(index)) ?? cells[0];
  if (cell) focusOn(cell);
}

function focusOn(cell) {
  for (const each of $("map").querySelectorAll("button")) each.tabIndex = each === cell ? 0 : -1;
  cell.focus();
}

/* ---- the treemap ---- */

/**
 * Rectangles for weights in descending order, each near a square.
 * Bruls, Huizing, van Wijk: Squarified Treemaps (2000).
 */
function squarify(weights, width, height) {
  const boxes = [];
  const scale = width * height / sum(weights);
  let [x, y, w, h] = [0, 0, width, height];
  let start = 0;
  while (start < weights.length) {
    const side = Math.min(w, h);
    let [area, end, worst] = [0, start, Infinity];
    while (end < weights.length) {
      const grown = area + weights[end] * scale;
      const thickness = grown / side;
      const ratio = Math.max(
        thickness ** 2 / (weights[end] * scale), weights[start] * scale / thickness ** 2);
      if (ratio > worst) break;
      [area, worst] = [grown, ratio];
      end += 1;
    }
    const thickness = area / side;
    let along = 0;
    for (; start < end; start += 1) {
      const length = weights[start] * scale / thickness;
      boxes.push(w < h ? { x: x + along, y, w: length, h: thickness }
        : { x, y: y + along, w: thickness, h: length });
      along += length;
    }
    if (w < h) [y, h] = [y + thickness, h - thickness];
    else [x, w] = [x + thickness, w - thickness];
  }
  return boxes;
}

function drawMap(piece) {
  const map = $("map");
  const { clientWidth: width, clientHeight: height } = map;
  const focused = map.contains(document.activeElement) ? document.activeElement.dataset.index : null;
  const cells = inOrder(piece, state.unit).filter((cell) => cell.weight > 0);
  if (!cells.length) {
    const text = compared ? "No sizes differ." : "Nothing of this is installed.";
    map.replaceChildren(make("li", { className: "nothing" }, text));
    return;
  }
  const total = sum(cells.map((cell) => cell.weight));
  const least = SMALLEST * total / (width * height || 1);
  const shown = cells.filter((cell, index) => cell.weight >= least && index < MOST);
  const rest = cells.slice(shown.length);
  if (rest.length) shown.push({ rest, weight: Math.max(sum(rest.map((cell) => cell.weight)), least) });
  shown.sort((one, other) => other.weight - one.weight);
  const boxes = squarify(shown.map((cell) => cell.weight), width, height);
  map.replaceChildren(...shown.map((cell, index) => drawCell(cell, boxes[index], piece)));
  const first = map.querySelector("button");
  first.tabIndex = 0;
  if (focused !== null) focusCell(focused);
}

function drawCell(cell, box, piece) {
  const item = make("li");
  Object.assign(item.style, { left: `${box.x}px`, top: `${box.y}px`, width: `${box.w}px`, height: `${box.h}px` });
  const button = make("button", { type: "button", tabIndex: -1 });
  item.append(button);
  const wide = box.w > 52 && box.h > 28;
  if (cell.rest) {
    const text = `${cell.rest.length.toLocaleString("en")} smaller`;
    Object.assign(button, { title: `${text} ones are in the table`, className: "kept" });
    button.setAttribute("aria-label", `${text} ones, in the table`);
    if (wide) button.append(make("span", { className: "text" }, make("bdi", {}, text)));
    button.addEventListener("click", () => { showAll(); $("caption").focus(); });
    return item;
  }
  const { part, index } = cell;
  button.dataset.index = index;
  button.title = describe(part, piece);
  button.setAttribute("aria-label", describe(part, piece));
  button.className = colour(part) + (part.parts.length ? "" : " leaf");
  if (wide) {
    const size = compared ? signed(difference(part, state.unit)) : bytes(part[state.unit]);
    const large = box.w > 220 && box.h > 110 ? " large" : "";
    const text = make("span", { className: `text${large}` }, make("bdi", {}, part.name));
    if (box.w > 74 && box.h > 46) text.append(size);
    button.append(text);
  }
  button.addEventListener("click", () => part.parts.length ? enter(index) : tell(part, piece));
  return item;
}

function colour(part) {
  if (compared) return difference(part, state.unit) < 0 ? "less" : "more";
  return part.kind || part.form || commonForm(part);
}

/** The form of most of the bytes below a directory. */
function commonForm(part) {
  const sizes = {};
  const visit = (piece) => {
    if (piece.form) sizes[piece.form] = (sizes[piece.form] ?? 0) + piece[state.unit] + 1;
    piece.parts.forEach(visit);
  };
  visit(part);
  return Object.keys(sizes).sort((one, other) => sizes[other] - sizes[one])[0] ?? "kept";
}

function enter(index) {
  next = () => focusCell();
  open([...state.path, index]);
}

function leave() {
  const index = state.path[state.path.length - 1];
  next = () => focusCell(index);
  open(state.path.slice(0, -1));
}

/** The nearest cell in a direction: what lies ahead counts once, what lies aside twice. */
function neighbour(cell, key) {
  const middle = (box) => [box.left + box.width / 2, box.top + box.height / 2];
  const [x, y] = middle(cell.getBoundingClientRect());
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  let [best, least] = [null, Infinity];
  for (const other of $("map").querySelectorAll("button")) {
    const [ox, oy] = middle(other.getBoundingClientRect());
    const ahead = (ox - x) * dx + (oy - y) * dy;
    const aside = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
    if (other !== cell && ahead > 0 && ahead + 2 * aside < least) [best, least] = [other, ahead + 2 * aside];
  }
  return best;
}

function onKey(event) {
  const cells = [...$("map").querySelectorAll("button")];
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  let target = null;
  if (event.key.startsWith("Arrow")) target = neighbour(event.target, event.key) ?? event.target;
  else if (event.key === "Home") target = cells[0];
  else if (event.key === "End") target = cells[cells.length - 1];
  else return;
  event.preventDefault();
  focusOn(target);
}

/* ---- the table ---- */

function drawTable(piece) {
  const [head, body] = [$("parts").tHead, $("parts").tBodies[0]];
  $("caption").textContent = compared ? `Changes in ${isolated(piece.name)}` : `Parts of ${isolated(piece.name)}`;
  const names = compared ? ["Before", "Now", "Difference"] : ["Packed", "Installed", "Share"];
  head.replaceChildren(make("tr", {}, column("Name"), ...names.map((name) => column(name, "number"))));
  const rows = inOrder(piece, state.unit);
  const shown = state.all ? rows : rows.slice(0, ROWS);
  body.replaceChildren(...shown.map(({ part, index }) => drawRow(part, index, piece)));
  $("more").hidden = shown.length === rows.length;
  $("more").textContent = `Show all ${rows.length.toLocaleString("en")}`;
  $("parts").hidden = !rows.length;
}

function column(name, className = "") {
  return make("th", { scope: "col", className }, name);
}

function drawRow(part, index, piece) {
  const name = make("bdi", {}, part.name);
  const title = make("th", { scope: "row" });
  if (part.parts.length) {
    const button = make("button", { type: "button", className: "open" }, name);
    button.addEventListener("click", () => { next = () => $("caption").focus(); open([...state.path, index]); });
    title.append(button);
  } else title.append(name);
  const remarks = [compared ? change(part) : "", part.detail, explain(part)].filter(Boolean);
  if (remarks.length) title.append(make("small", {}, remarks.join(" · ")));
  const { unit } = state;
  const numbers = compared
    ? [part.was.there ? bytes(part.was[unit]) : "–", part.there ? bytes(part[unit]) : "–", signed(difference(part, unit))]
    : [bytes(part.packed), bytes(part.installed), percent(part[unit], piece[unit])];
  return make("tr", {}, title, ...numbers.map((text) => make("td", { className: "number" }, text)));
}

function showAll() {
  state.all = true;
  drawTable(trail().pop());
}

/* ---- the rest ---- */

function drawTrail(pieces) {
  $("trail").replaceChildren(...pieces.map((piece, level) => {
    const name = make("bdi", {}, piece.name);
    if (level === pieces.length - 1) return make("li", {}, make("span", { "aria-current": "true" }, name));
    const button = make("button", { type: "button", className: "open" }, name);
    button.addEventListener("click", () => {
      const left = state.path[level];
      next = () => focusCell(left);
      open(state.path.slice(0, level));
    });
    return make("li", {}, button);
  }));
}

function drawLegend(piece) {
  const colours = new Set(piece.parts.filter((part) => weight(part, state.unit) > 0).map(colour));
  const names = { ...KINDS, ...FORMS, ...CHANGES };
  $("legend").replaceChildren(...[...colours].map((name) => {
    const item = make("li", {}, names[name]);
    item.style.setProperty("--swatch", `var(--${name})`);
    return item;
  }));
}

function tell(piece, whole) {
  const exact = compared ? "" : ` (${piece[state.unit].toLocaleString("en")} bytes).`;
  $("status").textContent = `${describe(piece, whole)}${exact} ${explain(piece)}`;
}

/** What is done after the next drawing: where the focus goes. */
let next = null;

function draw() {
  const pieces = trail();
  const piece = pieces[pieces.length - 1];
  $("map").setAttribute("aria-label", `${compared ? "Changes in" : "Parts of"} ${isolated(piece.name)}, ${state.unit}`);
  drawTrail(pieces);
  drawMap(piece);
  drawLegend(piece);
  drawTable(piece);
  tell(piece, pieces[pieces.length - 2] ?? piece);
  next?.();
  next = null;
}

function drawFacts() {
  $("name").append(make("bdi", {}, page.name));
  $("eyebrow").textContent = page.eyebrow;
  $("notes").textContent = page.notes.join(" ");
  if (compared) $("pieces").textContent = "What changed";
  $("figures").replaceChildren(...page.figures.map(row));
  for (const id of ["host", "contents", "digests"]) {
    $(id).hidden = !page[id].length;
    $(id).querySelector("dl").replaceChildren(...page[id].map(row));
  }
  fill("modules", ["Distribution", "In the archive", "Files"], page.modules.map(
    ([name, packed, staying, why]) => [name, why, packed.toLocaleString("en"), staying.toLocaleString("en")]));
  fill("licences", ["Component", "Licence"], page.licences.map(
    ([name, version, licences]) => [name, version || "version unknown", licences || "not declared"]));
}

function row([name, value]) {
  return make("div", {}, make("dt", {}, name), make("dd", {}, make("bdi", {}, value)));
}

/** A table of rows that begin with a name and a remark; the rest of a row are numbers if there are several. */
function fill(id, names, rows) {
  $(id).hidden = !rows.length;
  const style = names.length > 2 ? "number" : "";
  const head = make("tr", {}, ...names.map((name, index) => column(name, index ? style : "")));
  const body = rows.map(([name, remark, ...cells]) => make("tr", {},
    make("th", { scope: "row" }, make("bdi", {}, name), make("small", {}, remark)),
    ...cells.map((text) => make("td", { className: style }, make("bdi", {}, text)))));
  $(id).querySelector("table").replaceChildren(make("thead", {}, head), make("tbody", {}, ...body));
}

for (const radio of document.querySelectorAll("input[name=unit]")) {
  radio.addEventListener("change", () => { state.unit = radio.value; draw(); });
  if (radio.checked) state.unit = radio.value;
}
$("map").addEventListener("keydown", onKey);
$("more").addEventListener("click", () => {
  showAll();
  $("caption").focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && state.path.length) leave();
});
addEventListener("hashchange", () => { readAddress(); draw(); });
let width = 0;
new ResizeObserver(() => {
  if ($("map").clientWidth !== width) {
    width = $("map").clientWidth;
    drawMap(trail().pop());
  }
}).observe($("map"));
drawFacts();
readAddress();
draw();
