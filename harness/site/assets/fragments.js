// Shows where each element of a fragment is held, and what each register of a lane holds.
"use strict";

// Who holds an element: a lane of a warp, or a thread of a warpgroup.
function holder(one, thread) {
  return one.threads === 32 ? "lane " + thread : "thread " + thread + " (warp " + Math.floor(thread / 32) + ", lane " + thread % 32 + ")";
}

function showFragment(state, change) {
  const one = data.find((candidate) => candidate.name === state.operand);
  const chosen = Math.min(Number(state.row), one.rows - 1) * one.columns + Math.min(Number(state.column), one.columns - 1);
  const held = one.held[chosen];
  const row = Math.floor(chosen / one.columns), column = chosen % one.columns;
  document.getElementById("explanation").textContent = one.explanation;
  const half = one.wide ? "" : held[2] ? ", upper half" : ", lower half";
  document.getElementById("answer").replaceChildren(
    "Element (" + row + ", " + column + "): ", element("strong", { id: "held", "data-value": held.join(" ") }, holder(one, held[0]) + ", register " + held[1] + half), ".");

  const matrix = element("table", { class: "cells" });
  const head = element("tr", {}, element("td"));
  for (let j = 0; j < one.columns; j++) head.append(element("th", { scope: "col" }, String(j)));
  matrix.append(element("thead", {}, head));
  const body = element("tbody");
  for (let i = 0; i < one.rows; i++) {
    const cells = element("tr", {}, element("th", { scope: "row" }, String(i)));
    for (let j = 0; j < one.columns; j++) {
      const [lane, register] = one.held[i * one.columns + j];
      const is = i * one.columns + j === chosen;
      const same = lane === held[0];
      cells.append(element("td", {}, element("button", {
        type: "button", "data-row": i, "data-column": j, tabindex: is ? "0" : "-1",
        class: (is ? "is " : same ? "same " : "") + "r" + register,
        "aria-label": "Element " + i + ", " + j + ": " + holder(one, lane) + ", register " + register,
      }, String(lane))));
    }
    body.append(cells);
  }
  matrix.append(body);

  const registers = element("table", { class: "cells" });
  const names = element("tr", {}, element("td"));
  for (let r = 0; r < one.registers; r++) names.append(element("th", { scope: "col" }, "reg " + r));
  registers.append(element("thead", {}, names));
  const lanes = element("tbody");
  const content = Array.from({ length: one.threads }, () => Array.from({ length: one.registers }, () => []));
  one.held.forEach(([lane, register, half], i) => { content[lane][register][half] = i; });
  content.forEach((own, lane) => {
    const cells = element("tr", {}, element("th", { scope: "row" }, (one.threads === 32 ? "lane " : "thread ") + lane));
    own.forEach((elements, register) => {
      const text = elements.map((i) => "(" + Math.floor(i / one.columns) + ", " + i % one.columns + ")").join(" ");
      const is = elements.includes(chosen);
      cells.append(element("td", {}, element("button", {
        type: "button", tabindex: "-1", class: (is ? "is " : lane === held[0] ? "same " : "") + "r" + register,
        "data-row": Math.floor(elements[0] / one.columns), "data-column": elements[0] % one.columns,
      }, text)));
    });
    lanes.append(cells);
  });
  registers.append(lanes);
  const hadFocus = document.activeElement && document.activeElement.closest("#matrix");
  document.getElementById("matrix").replaceChildren(matrix);
  document.getElementById("registers").replaceChildren(registers);
  if (hadFocus) matrix.querySelector(".is").focus();
  for (const table of [matrix, registers]) {
    for (const type of ["click", "mouseover"]) {
      table.addEventListener(type, (event) => {
        const button = event.target.closest("button");
        const isNew = button && (button.dataset.row !== String(row) || button.dataset.column !== String(column));
        if (isNew && (type === "click" || !button.classList.contains("is"))) change({ row: button.dataset.row, column: button.dataset.column });
      });
    }
  }
  matrix.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    change({
      row: String(Math.min(Math.max(row + step[0], 0), one.rows - 1)),
      column: String(Math.min(Math.max(column + step[1], 0), one.columns - 1)),
    });
  });
}

const fragmentOf = (state) => data.find((one) => one.name === state.operand);
setUpChoices([
  { name: "operand", label: "Operand", values: () => data.map((one) => one.name) },
  { name: "row", label: "Row", values: (state) => [...Array(fragmentOf(state).rows).keys()] },
  { name: "column", label: "Column", values: (state) => [...Array(fragmentOf(state).columns).keys()] },
], showFragment);
