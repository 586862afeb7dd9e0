// Shows which lanes of a phase want which bank. The counts are the emulator's, from the page's data.
"use strict";

const bankBytes = 4, banks = 32, phaseBytes = 128;

function caseOf(state) {
  return data.find((one) => one.word === state.word && String(one.row) === state.row && one.swizzle === state.swizzle);
}

function showBanks(state, change) {
  const one = caseOf(state);
  const phase = state.phase === "all" ? -1 : Number(state.phase) - 1;
  const lanesOfPhase = 32 / one.ideal;
  document.getElementById("answer").replaceChildren(
    element("strong", { id: "wavefronts", "data-value": one.wavefronts }, one.wavefronts + (one.wavefronts === 1 ? " wavefront" : " wavefronts")),
    ", where " + one.ideal + (one.ideal === 1 ? " would do" : " would do") + ". By phase: ",
    element("span", { id: "phases", "data-value": one.phases.join(" ") }, one.phases.join(" + ")),
    one.wavefronts === one.ideal ? ". There is no conflict." : ": " + (one.wavefronts - one.ideal) + " are bank conflicts.");
  const lanes = [...Array(32).keys()].filter((lane) => phase < 0 || Math.floor(lane / lanesOfPhase) === phase);
  // By bank, the lanes that want it, each with the piece of 4 bytes that it wants.
  const wanted = Array.from({ length: banks }, () => new Map());
  for (const lane of lanes) {
    for (let byte = 0; byte < one.width; byte += bankBytes) {
      const piece = (one.addresses[lane] + byte) / bankBytes;
      const bank = wanted[piece % banks];
      if (!bank.has(piece)) bank.set(piece, []);
      bank.get(piece).push(lane);
    }
  }
  const most = Math.max(...wanted.map((bank) => bank.size));
  const head = element("tr", {}, element("th", { scope: "col" }, "bank"));
  for (let bank = 0; bank < banks; bank++) head.append(element("th", { scope: "col" }, String(bank)));
  const body = element("tbody");
  for (let row = 0; row < most; row++) {
    const cells = element("tr", {}, element("th", { scope: "row" }, row === 0 ? "lanes" : ""));
    for (const bank of wanted) {
      const pieces = [...bank.entries()];
      const piece = pieces[row];
      cells.append(element("td", {
        class: piece ? (phase >= 0 && bank.size > 1 ? "conflict" : "served") : null,
        title: piece ? "byte " + piece[0] * bankBytes : null,
      }, piece ? unique(piece[1]).join(" ") : ""));
    }
    body.append(cells);
  }
  document.getElementById("map").replaceChildren(element("table", { class: "banks" },
    element("caption", {}, phase < 0 ? "All phases together: which lanes want which bank." :
      "Phase " + (phase + 1) + ": lanes " + lanes[0] + " to " + lanes[lanes.length - 1] + ". Lanes below each other want different bytes of the same bank, one wavefront each."),
    element("thead", {}, head), body));
}

// Those of the kernels first.
const rowsOf = (state) => {
  const rows = unique(data.filter((one) => one.word === state.word).map((one) => one.row));
  return [256, ...rows.filter((row) => row !== 256)];
};

setUpChoices([
  { name: "word", label: "Word", values: () => unique(data.map((one) => one.word)) },
  { name: "row", label: "Bytes from row to row", values: rowsOf },
  { name: "swizzle", label: "Swizzle", values: (state) => unique(data.filter((one) => one.word === state.word && String(one.row) === state.row).map((one) => one.swizzle)) },
  { name: "phase", label: "Phase", values: (state) => [...caseOf(state).phases.keys()].map((phase) => phase + 1).concat("all") },
], showBanks);
