// The right side of a step's page: its tabs, the line that is chosen, the machine code. All that is chosen stands in the
// address: #tab=file&line=142&arch=sm_90.
"use strict";

const facts = JSON.parse(document.getElementById("facts").textContent);
const tabs = ["diff", "file", "machine", "figures"];
const defaults = { tab: "diff", view: "unified", counter: "executed", arch: facts.archs[facts.archs.length - 1] || "", line: "", config: "" };
let state = { ...defaults };

// --- Counters ---------------------------------------------------------------------------------------------------------

// A line's words as [word, instructions, wavefronts, ideal, sectors].
const counterOf = {
  executed: (words) => words.reduce((sum, word) => sum + word[1], 0),
  wavefronts: (words) => words.reduce((sum, word) => sum + word[2], 0),
  ideal: (words) => words.reduce((sum, word) => sum + word[3], 0),
  conflicts: (words) => words.reduce((sum, word) => sum + word[2] - word[3], 0),
  sectors: (words) => words.reduce((sum, word) => sum + word[4], 0),
};

function shortNumber(number) {
  if (number < 1000) return String(number);
  const million = number >= 999500;
  const scaled = number / (million ? 1e6 : 1e3);
  return scaled.toFixed(scaled < 9.95 ? 1 : 0) + (million ? "M" : "k");
}

function grouped(number) {
  return number.toLocaleString("en-US");
}

function showCounters() {
  const counts = new Map();
  for (const [line, words] of Object.entries(facts.lines)) counts.set(line, counterOf[state.counter](words));
  const most = Math.max(0, ...counts.values());
  for (const row of document.querySelectorAll(".listing > div")) {
    const cell = row.querySelector("b");
    const count = counts.get(row.dataset.l) || 0;
    const words = facts.lines[row.dataset.l];
    const heat = count === 0 || most < 2 ? 0 : 1 + Math.floor(8 * Math.log(count) / Math.log(most));
    cell.className = "h" + heat + (words && counterOf.conflicts(words) > 0 ? " x" : "");
    cell.textContent = count === 0 ? "" : shortNumber(count);
  }
}

// --- Machine code -----------------------------------------------------------------------------------------------------

const codes = {};
const waiting = {};

// Called by code/KERNEL.ARCH.js, which is loaded when it is asked for.
function machineCode(made) {
  codes[made.arch] = made.functions.map((made) => {
    const instructions = [];
    for (let i = 0; i < made.code.length; i += 2) {
      instructions.push({ address: i / 2 * 16, lines: made.places[made.code[i]], text: made.code[i + 1] });
    }
    return { name: made.name, registers: made.registers, config: made.config, instructions };
  });
}

function loadMachineCode(arch, then) {
  if (codes[arch]) return then();
  if (waiting[arch]) return waiting[arch].push(then);
  waiting[arch] = [then];
  const script = document.createElement("script");
  script.src = root + "code/" + facts.kernel + "." + arch + ".js";
  script.onload = () => { for (const waiter of waiting[arch]) waiter(); };
  document.head.append(script);
}

function instructionRow(instruction, chosen) {
  const line = instruction.lines[instruction.lines.length - 1];
  const row = element("div", { class: chosen && instruction.lines.includes(chosen) ? "chosen" : null },
    element("span", {}, instruction.address.toString(16).padStart(4, "0")),
    line ? element("button", { type: "button", "data-line": line, title: "Line " + instruction.lines.join(", in ") }, String(line)) : element("span"),
    element("code", {}, instruction.text));
  return row;
}

function showMachineCode() {
  const place = document.getElementById("sass");
  if (!place) return;
  for (const button of document.querySelectorAll(".arch button")) {
    button.setAttribute("aria-pressed", String(button.dataset.arch === state.arch));
  }
  if (state.tab !== "machine") return;
  const arch = state.arch;
  loadMachineCode(arch, () => {
    if (arch !== state.arch) return;
    const chosen = Number(state.line);
    place.replaceChildren();
    for (const made of codes[arch]) {
      place.append(element("p", { class: "note" }, made.name + ", " + arch + ", config " + made.config + ": " +
        made.instructions.length + " instructions, " + made.registers + " registers. Each with its address and the line that it came from."));
      const list = element("div", { class: "sass" });
      for (const instruction of made.instructions) list.append(instructionRow(instruction, chosen));
      place.append(list);
    }
    const first = place.querySelector(".chosen");
    if (first) first.scrollIntoView({ block: "center" });
  });
}

// --- The line ---------------------------------------------------------------------------------------------------------

function countersTable(words) {
  const head = element("tr", {});
  for (const name of ["word", "executed", "wavefronts", "ideal", "conflicts", "sectors"]) {
    head.append(element("th", { scope: "col", class: name === "word" ? null : "right" }, name));
  }
  const body = element("tbody");
  for (const [word, executed, wavefronts, ideal, sectors] of words) {
    const row = element("tr", {}, element("th", { scope: "row" }, element("code", {}, word)));
    for (const number of [executed, wavefronts, ideal, wavefronts - ideal, sectors]) {
      row.append(element("td", { class: "right" }, grouped(number)));
    }
    body.append(row);
  }
  return element("div", { class: "scroll" }, element("table", {}, element("thead", {}, head), body));
}

function namesIn(text) {
  return new Set(text.replace(/\/\/.*/, "").match(/\w+/g) || []);
}

function lineCode() {
  const place = element("div");
  if (!facts.archs.length) return place;
  const choice = element("div", { class: "choice", role: "group", "aria-label": "Architecture" });
  for (const arch of facts.archs) {
    choice.append(element("button", { type: "button", "data-arch": arch, "aria-pressed": String(arch === state.arch) }, arch));
  }
  place.append(choice);
  const list = element("div", { class: "sass", tabindex: "0", role: "group", "aria-label": "Machine code of this line" });
  const arch = state.arch;
  const line = Number(state.line);
  loadMachineCode(arch, () => {
    if (arch !== state.arch || line !== Number(state.line)) return;
    const own = codes[arch].flatMap((made) => made.instructions.filter((instruction) => instruction.lines.includes(line)));
    for (const instruction of own) list.append(instructionRow(instruction, 0));
    const text = own.length ? own.length + " instructions of this line on " + arch + ":" : "No instruction on " + arch + " comes from this line.";
    place.append(element("p", { class: "note", "data-count": own.length }, text), own.length ? list : "");
  });
  return place;
}

function showLine(scroll) {
  const panel = document.getElementById("line");
  for (const row of document.querySelectorAll("[data-l].chosen")) row.classList.remove("chosen");
  panel.hidden = state.line === "" || state.tab === "figures";
  if (state.line === "") return;
  const row = document.getElementById("L" + state.line);
  if (!row) { panel.hidden = true; return; }
  for (const other of document.querySelectorAll('[data-l="' + state.line + '"]')) other.classList.add("chosen");
  const text = row.querySelector("code").textContent;
  const words = facts.lines[state.line];
  const close = element("button", { type: "button", class: "close", "aria-label": "Close" }, "×");
  close.addEventListener("click", () => set({ line: "" }));
  const explained = element("dl");
  for (const name of namesIn(text)) {
    if (facts.words[name]) explained.append(element("dt", {}, name), element("dd", {}, facts.words[name][0]));
  }
  panel.replaceChildren(close, element("h2", {}, "Line " + state.line + " ", element("code", {}, text.trim())),
    words ? countersTable(words) : "", explained.children.length ? explained : "", lineCode());
  if (!scroll) return;
  const shown = document.querySelector(".panel.open [data-l].chosen");
  if (!shown) return;
  const fold = shown.closest("details");
  if (fold) fold.open = true;
  shown.scrollIntoView({ block: "center" });
}

// --- The whole --------------------------------------------------------------------------------------------------------

function show(scroll) {
  for (const tab of tabs) {
    const chosen = tab === state.tab;
    const button = document.getElementById("tab-" + tab);
    button.setAttribute("aria-selected", String(chosen));
    button.tabIndex = chosen ? 0 : -1;
    document.getElementById(tab).classList.toggle("open", chosen);
  }
  const diff = document.querySelector(".diff");
  if (diff) diff.dataset.view = state.view;
  for (const button of document.querySelectorAll("[data-view][aria-pressed]")) {
    button.setAttribute("aria-pressed", String(button.dataset.view === state.view));
  }
  const counter = document.getElementById("counter");
  if (counter) counter.value = state.counter;
  const sections = [...document.querySelectorAll(".config")];
  const config = sections.some((section) => section.dataset.config === state.config) ? state.config : sections.length ? sections[0].dataset.config : "";
  for (const section of sections) section.classList.toggle("open", section.dataset.config === config);
  const select = document.getElementById("config");
  if (select) select.value = config;
  showLine(scroll);
  showMachineCode();
}

function set(change, scroll) {
  const counter = state.counter;
  state = { ...state, ...change };
  const shown = {};
  for (const [name, value] of Object.entries(state)) if (value !== defaults[name]) shown[name] = value;
  setAddress(shown);
  if (state.counter !== counter) showCounters();
  show(scroll);
}

function setFromAddress() {
  const given = stateOfAddress();
  if (location.hash === "#file") given.tab = "file";
  if (!Object.keys(given).length && location.hash) { show(false); return; }
  const counter = state.counter;
  state = { ...defaults, ...Object.fromEntries(Object.entries(given).filter(([name]) => name in defaults)) };
  if (!tabs.includes(state.tab)) state.tab = defaults.tab;
  if (!counterOf[state.counter]) state.counter = defaults.counter;
  if (!facts.archs.includes(state.arch)) state.arch = defaults.arch;
  if (given.line && !given.tab) state.tab = "file";
  if (state.counter !== counter) showCounters();
  show(true);
}

function setUpStudy() {
  if (!document.querySelector(".diff")) defaults.tab = state.tab = "file";
  const lines = [...document.querySelectorAll(".listing .no")];
  for (const link of lines) link.tabIndex = -1;
  if (lines.length) lines[0].tabIndex = 0;
  document.addEventListener("click", (event) => {
    const target = event.target;
    const button = target.closest("button");
    const link = target.closest("a");
    if (button && button.getAttribute("role") === "tab") return set({ tab: button.id.slice(4) });
    if (button && button.dataset.view) return set({ view: button.dataset.view });
    if (button && button.dataset.arch) return set({ arch: button.dataset.arch });
    if (button && button.dataset.line) return set({ line: button.dataset.line, tab: "file" }, true);
    if (link) {
      const line = (link.getAttribute("href") || "").match(/^#L(\d+)$/);
      if (!line) return;
      event.preventDefault();
      return set({ line: line[1], tab: "file" }, !link.closest(".listing"));
    }
    const row = target.closest("[data-l]");
    if (row && !String(getSelection())) set({ line: row.dataset.l });
  });
  document.querySelector(".tabs").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(state.tab) + step + tabs.length) % tabs.length];
    set({ tab: next });
    document.getElementById("tab-" + next).focus();
  });
  const listing = document.querySelector(".listing");
  if (listing) {
    listing.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const at = lines.indexOf(document.activeElement);
      if (!step || at < 0) return;
      event.preventDefault();
      const next = lines[Math.min(Math.max(at + step, 0), lines.length - 1)];
      lines[at].tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    });
  }
  const counter = document.getElementById("counter");
  if (counter) counter.addEventListener("change", () => set({ counter: counter.value }));
  const config = document.getElementById("config");
  if (config) config.addEventListener("change", () => set({ config: config.value }));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && state.line) set({ line: "" });
  });
  addEventListener("hashchange", setFromAddress);
  setFromAddress();
  document.documentElement.dataset.ready = "true";
}

setUpStudy();
