// Steps through a row of attention, tile by tile; the numbers are the emulator's, from the page's data.
"use strict";

const short = (number) => number === 0 ? "0" : Number(number.toPrecision(4)).toString();

function bar(value, least, most) {
  const width = most === least ? 100 : Math.max(1, 100 * (value - least) / (most - least));
  return element("span", { class: "level", style: "width:" + width.toFixed(1) + "%" });
}

function showRow(state, change) {
  const one = data.find((candidate) => candidate.name === state.scores);
  const tile = Number(state.tile) - 1;
  const step = one.steps[tile];
  const before = tile === 0 ? null : one.steps[tile - 1];
  const scores = one.steps.flatMap((other) => other.scores);
  const least = Math.min(...scores), most = Math.max(...scores);
  const value = (name, number) => element("td", { class: "right", "data-name": name, "data-value": String(number) }, short(number));
  const rows = [
    ["m", "the maximum so far", before ? before.max : "−∞", "max", step.max],
    ["shrink", before ? "exp2(" + short(before.max) + " − " + short(step.max) + ")" : "exp2(−∞): nothing was summed yet", "", "shrink", step.shrink],
    ["l", "l · shrink + the weights of the tile", before ? before.sum : 0, "sum", step.sum],
    ["o", "o · shrink + weights · values", before ? before.output : 0, "output", step.output],
    ["o / l", "the answer, of the keys so far", before ? before.output / before.sum : "", "answer", step.output / step.sum],
  ];
  const body = element("tbody");
  for (const [name, how, was, key, now] of rows) {
    body.append(element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, how),
      element("td", { class: "right" }, typeof was === "number" ? short(was) : was), value(key, now)));
  }
  const state_table = element("table", {}, element("thead", {}, element("tr", {}, element("th", { scope: "col" }, ""),
    element("th", { scope: "col" }, "how"), element("th", { scope: "col", class: "right" }, "before"),
    element("th", { scope: "col", class: "right" }, "after tile " + (tile + 1)))), body);
  const keys = element("tbody");
  step.scores.forEach((score, i) => {
    keys.append(element("tr", { class: score === step.max ? "largest" : null }, element("th", { scope: "row" }, "key " + (tile * 8 + i)),
      element("td", { class: "right" }, short(score)), element("td", { class: "bars" }, bar(score, least, most)),
      element("td", { class: "right" }, short(step.weights[i])), element("td", { class: "bars" }, bar(step.weights[i], 0, 1)),
      element("td", { class: "right" }, short(one.values[tile * 8 + i]))));
  });
  const key_table = element("table", {}, element("thead", {}, element("tr", {}, ...["", "score", "", "weight", "", "value"].map((name) =>
    name ? element("th", { scope: "col", class: "right" }, name) : element("td")))), keys);
  const last = tile === one.steps.length - 1;
  document.getElementById("answer").textContent = last
    ? "After the last tile o / l is " + short(step.output / step.sum) + "; in fp64, of the whole row at once, " + short(one.exact) + "."
    : before && step.max > before.max ? "A larger maximum came: what was summed is multiplied by " + short(step.shrink) + "."
    : before ? "The maximum stays: nothing has to be shrunk." : "The first tile.";
  const back = element("button", { type: "button", disabled: tile === 0 }, "Tile before");
  const forth = element("button", { type: "button", disabled: last }, "Next tile");
  back.addEventListener("click", () => change({ tile: String(tile) }));
  forth.addEventListener("click", () => change({ tile: String(tile + 2) }));
  document.getElementById("row").replaceChildren(element("div", { class: "choice" }, back, forth),
    element("div", { class: "two" }, element("div", { class: "scroll" }, key_table), element("div", { class: "scroll" }, state_table)));
}

setUpChoices([
  { name: "scores", label: "Scores", values: () => data.map((one) => one.name) },
  { name: "tile", label: "Tile", values: (state) => [...data.find((one) => one.name === state.scores).steps.keys()].map((i) => i + 1) },
], showRow);
