// Draws a tile as the predictor sees it: a row for each warp and pipe, to zoom and to move along. The spans of a step
// are loaded when it is chosen.
"use strict";

const loaded = {};   // by file: { looks, lines, tracks }
const waiting = {};

// Called by timelines/STEP.GPU.js.
function timelineSpans(made) {
  const tracks = made.tracks.map((numbers) => {
    const spans = [];
    for (let i = 0, end = 0; i < numbers.length; i += 4) {
      const [name, kind] = made.looks[numbers[i + 2]];
      spans.push({ begin: end + numbers[i], cycles: numbers[i + 1], name, kind, line: numbers[i + 3] });
      end += numbers[i] + numbers[i + 1];
    }
    return spans;
  });
  loaded[made.file] = { lines: made.lines, tracks };
}

function loadSpans(file, then) {
  if (loaded[file]) return then();
  if (waiting[file]) return waiting[file].push(then);
  waiting[file] = [then];
  const script = document.createElement("script");
  script.src = root + file;
  script.onload = () => { for (const waiter of waiting[file]) waiter(); };
  document.head.append(script);
}

// --- The window on the tile -------------------------------------------------------------------------------------------

const leastCycles = 40;  // that a window shows
const place = document.getElementById("timeline");
const canvas = element("canvas", { "aria-hidden": "true" });
place.append(canvas);

let now = null;      // what is shown: { tile, spans, state, from, length }
let choose = null;   // changes the state
let pointed = null;  // { track, at } under the pointer

const tileOf = (state) => data.timelines.find((one) => one.step === state.step && one.gpu === state.gpu);

function zooms(tile) {
  const list = [1];
  while (tile.cycles / (list[list.length - 1] * 2) >= leastCycles) list.push(list[list.length - 1] * 2);
  return list;
}

const lengthOf = (tile, zoom) => Math.ceil(tile.cycles / zoom);

// The place of the last span that begins by a cycle; −1: none does.
function lastBegun(spans, at) {
  let low = 0, high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle].begin <= at) low = middle + 1; else high = middle;
  }
  return low - 1;
}

function spanAt(spans, at) {
  const last = spans[lastBegun(spans, at)];
  return last && at < last.begin + last.cycles ? last : null;
}

// With the cycle `at` where it is now in the window.
function zoomBy(factor, at) {
  const list = zooms(now.tile);
  const zoom = list[Math.min(Math.max(list.indexOf(Number(now.state.zoom)) + factor, 0), list.length - 1)];
  const share = (at - now.from) / now.length;
  choose({ zoom: String(zoom), from: String(Math.round(at - share * lengthOf(now.tile, zoom))) });
}

// The first cycle of a window that has a cycle in it: this one if it can be.
function fromWith(at) {
  if (at >= now.from && at < now.from + now.length) return now.from;
  return Math.round(at - now.length / 2);
}

function goTo(track, at) {
  choose({ track: now.tile.tracks[track], at: String(at), from: String(fromWith(at)) });
}

// --- Drawing ----------------------------------------------------------------------------------------------------------

// Where rows and cycles lie on the canvas; on a phone the names stand above their rows.
function layout() {
  const width = place.clientWidth, narrow = width < 560;
  const left = narrow ? 4 : 116, row = narrow ? 38 : 26, bar = 16, top = 6;
  const scale = (width - left - 4) / now.length;
  return {
    width, narrow, left, row, bar, top, scale,
    height: top + now.tile.tracks.length * row + 24,
    x: (cycle) => left + (cycle - now.from) * scale,
    y: (track) => top + track * row + (narrow ? row - bar - 3 : (row - bar) / 2),
    cycle: (x) => Math.floor(now.from + (x - left) / scale),
    track: (y) => Math.min(Math.max(Math.floor((y - top) / row), 0), now.tile.tracks.length - 1),
  };
}

// The least of 1, 2 and 5 times a power of ten that leaves room for numbers.
function tickStep(scale) {
  for (let power = 1; ; power *= 10) {
    for (const step of [1, 2, 5]) if (step * power * scale >= 64) return step * power;
  }
}

function drawTrack(context, at, track, colours) {
  const y = at.y(track), last = now.from + now.length;
  const spans = now.spans.tracks[track];
  for (let i = Math.max(0, lastBegun(spans, now.from)); i < spans.length && spans[i].begin < last; i++) {
    const { begin, cycles, name, kind } = spans[i];
    const x = Math.max(at.left, at.x(begin)), right = Math.min(at.x(begin + cycles), at.x(last));
    const width = right - x;
    if (width <= 0) continue;
    context.fillStyle = kind < 0 ? colours.other : data.kinds[kind][1];
    context.fillRect(x, y, Math.max(0.6, width - (width > 4 ? 1 : 0)), at.bar);
    const fits = Math.floor((width - 6) / 6.2);  // characters of this size
    const text = [name, name.split(".")[0]].find((one) => one.length <= fits);
    if (!text) continue;
    context.fillStyle = kind < 0 ? colours.ink : "#000";
    context.fillText(text, x + 3, y + at.bar / 2 + 0.5);
  }
}

function drawCursor(context, at, colours) {
  const { track, cycle } = { track: now.tile.tracks.indexOf(now.state.track), cycle: Number(now.state.at) };
  const span = spanAt(now.spans.tracks[track], cycle);
  const from = span ? span.begin : cycle, cycles = span ? span.cycles : 1;
  if (from + cycles < now.from || from > now.from + now.length) return;
  const x = Math.max(at.left, at.x(from)), right = Math.min(at.x(from + cycles), at.width - 2);
  context.strokeStyle = colours.ink;
  context.lineWidth = 2;
  context.strokeRect(x - 1, at.y(track) - 2, Math.max(2, right - x) + 1, at.bar + 4);
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(x, at.top);
  context.lineTo(x, at.height - 20);
  context.stroke();
}

function draw() {
  if (!now || !now.spans) return;
  const at = layout(), ratio = devicePixelRatio || 1;
  const style = getComputedStyle(document.documentElement);
  const colours = Object.fromEntries(["ink", "soft", "rule", "chosen"].map((name) => [name, resolved(style, "--" + name)]));
  colours.other = colours.rule;
  canvas.width = Math.round(at.width * ratio);
  canvas.height = Math.round(at.height * ratio);
  canvas.style.height = at.height + "px";
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  context.textBaseline = "middle";
  const names = "12px " + style.getPropertyValue("--sans");
  context.font = names;
  const chosen = now.tile.tracks.indexOf(now.state.track);
  context.fillStyle = colours.chosen;
  context.fillRect(0, at.top + chosen * at.row, at.width, at.row);
  const step = tickStep(at.scale);
  for (let tick = Math.ceil(now.from / step) * step; tick <= now.from + now.length; tick += step) {
    context.fillStyle = colours.rule;
    context.fillRect(at.x(tick), at.top, 1, at.height - 24);
    context.fillStyle = colours.soft;
    const text = tick.toLocaleString("en-US"), width = context.measureText(text).width;
    context.fillText(text, Math.min(Math.max(at.x(tick) - width / 2, 0), at.width - width), at.height - 10);
  }
  now.tile.tracks.forEach((name, track) => {
    context.font = names;
    context.fillStyle = colours.ink;
    if (at.narrow) context.fillText(name, at.left, at.top + track * at.row + 10);
    else context.fillText(name, at.left - 8 - context.measureText(name).width, at.y(track) + at.bar / 2);
    context.font = "10px " + style.getPropertyValue("--mono");
    drawTrack(context, at, track, colours);
  });
  drawCursor(context, at, colours);
}

// A colour that is light-dark(…) in the style sheet, as the page has it now.
function resolved(style, name) {
  canvas.style.color = "var(" + name + ")";
  return getComputedStyle(canvas).color;
}

// --- What is under the cursor -----------------------------------------------------------------------------------------

function showUnder() {
  const { track, at } = pointed || { track: now.tile.tracks.indexOf(now.state.track), at: Number(now.state.at) };
  const spans = now.spans.tracks[track], span = spanAt(spans, at);
  const name = now.tile.tracks[track], cycle = (number) => number.toLocaleString("en-US");
  const under = document.getElementById("under");
  if (!span) {
    const before = spans[lastBegun(spans, at)], after = spans[lastBegun(spans, at) + 1];
    const begin = before ? before.begin + before.cycles : 0, end = after ? after.begin : now.tile.cycles;
    const what = name.startsWith("warp") ? "waits" : "is idle";
    under.replaceChildren(element("strong", { "data-value": ["-", begin, end - begin, 0].join(" ") }, name + " " + what),
      ", cycles " + cycle(begin) + " to " + cycle(end) + ".");
    return;
  }
  const line = span.line ? element("span", {}, " Line ",
    element("a", { href: now.tile.page + "#L" + span.line }, span.line + " of " + now.tile.step), ": ",
    element("code", {}, now.spans.lines[span.line] || "")) : "";
  under.replaceChildren(element("strong", { "data-value": [span.name, span.begin, span.cycles, span.line].join(" ") }, span.name),
    " on " + name + ", cycles " + cycle(span.begin) + " to " + cycle(span.begin + span.cycles) + ".", line);
}

function showTimeline(state, change) {
  const tile = tileOf(state);
  choose = change;
  pointed = null;
  now = { tile, spans: loaded[tile.file], state, from: Number(state.from), length: lengthOf(tile, Number(state.zoom)) };
  loadSpans(tile.file, () => {
    if (now.tile !== tile) return;
    now.spans = loaded[tile.file];
    draw();
    showUnder();
  });
}

// --- Pointers, wheel and keys -----------------------------------------------------------------------------------------

const pointers = new Map();  // those that are down: { x, y } where they are
let dragged = null;          // { x, from, moved } since the first went down
let spread = 0;              // between two pointers, when the last step of zoom was taken

function inside(event) {
  const box = canvas.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

function drag(x) {
  const cycles = (dragged.x - x) / layout().scale;
  dragged.moved = dragged.moved || Math.abs(dragged.x - x) > 4;
  now.from = Math.min(Math.max(Math.round(dragged.from + cycles), 0), now.tile.cycles - now.length);
  draw();
}

function pinch() {
  const [one, other] = [...pointers.values()];
  const distance = Math.abs(one.x - other.x);
  if (distance > 1.6 * spread || distance < 0.6 * spread) {
    zoomBy(distance > spread ? 1 : -1, layout().cycle((one.x + other.x) / 2));
    spread = distance;
  }
}

canvas.addEventListener("pointerdown", (event) => {
  pointers.set(event.pointerId, inside(event));
  canvas.setPointerCapture(event.pointerId);
  const places = [...pointers.values()];
  dragged = { x: places[0].x, from: now.from, moved: places.length > 1 };
  if (places.length === 2) spread = Math.max(20, Math.abs(places[0].x - places[1].x));
});
canvas.addEventListener("pointermove", (event) => {
  if (!now.spans) return;
  const { x, y } = inside(event);
  if (pointers.has(event.pointerId)) {
    pointers.set(event.pointerId, { x, y });
    if (pointers.size === 2) pinch(); else if (dragged) drag(x);
    return;
  }
  const at = layout();
  pointed = x < at.left ? null : { track: at.track(y), at: at.cycle(x) };
  showUnder();
});
for (const type of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(type, (event) => {
    const wasDragged = dragged && dragged.moved;
    pointers.delete(event.pointerId);
    if (pointers.size || !now.spans) return;
    dragged = null;
    const at = layout(), { x, y } = inside(event);
    if (wasDragged) choose({ from: String(now.from) });
    else if (type === "pointerup" && x >= at.left) choose({ track: now.tile.tracks[at.track(y)], at: String(at.cycle(x)) });
  });
}
canvas.addEventListener("pointerleave", () => {
  pointed = null;
  if (now.spans) showUnder();
});
canvas.addEventListener("wheel", (event) => {
  if (!event.ctrlKey) return;
  event.preventDefault();
  zoomBy(event.deltaY < 0 ? 1 : -1, layout().cycle(inside(event).x));
}, { passive: false });

place.addEventListener("keydown", (event) => {
  if (!now.spans || event.ctrlKey || event.metaKey || event.altKey) return;
  const track = now.tile.tracks.indexOf(now.state.track), at = Number(now.state.at);
  const spans = now.spans.tracks[track], last = lastBegun(spans, at);
  const before = spanAt(spans, at) ? spans[last - 1] : spans[last];
  const to = (span) => { if (span) goTo(track, span.begin); };
  const keys = {
    ArrowRight: () => to(spans[last + 1]),
    ArrowLeft: () => to(before),
    ArrowDown: () => goTo(Math.min(track + 1, now.tile.tracks.length - 1), at),
    ArrowUp: () => goTo(Math.max(track - 1, 0), at),
    Home: () => to(spans[0]),
    End: () => to(spans[spans.length - 1]),
    "+": () => zoomBy(1, at),
    "-": () => zoomBy(-1, at),
  };
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});

// --- The whole --------------------------------------------------------------------------------------------------------

for (const [name, colour] of [...data.kinds, ["others", "var(--rule)"]]) {
  const sample = element("span", { class: "sample", style: "background:" + colour });
  document.getElementById("legend").append(element("li", {}, sample, " " + name));
}
new ResizeObserver(draw).observe(place);
new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
setUpChoices([
  { name: "step", label: "Step", values: () => unique(data.timelines.map((one) => one.step)) },
  { name: "gpu", label: "GPU", values: (state) => data.timelines.filter((one) => one.step === state.step).map((one) => one.gpu).reverse() },
  { name: "track", label: "Track", values: (state) => tileOf(state).tracks },
  { name: "zoom", label: "Zoom", values: (state) => zooms(tileOf(state)) },
  { name: "from", label: "From cycle", range: (state) => [0, tileOf(state).cycles - lengthOf(tileOf(state), Number(state.zoom))] },
  { name: "at", label: "Cycle", range: (state) => [0, tileOf(state).cycles - 1] },
], showTimeline);
