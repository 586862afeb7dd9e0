// Draws the ladder as lines, one for each GPU and type, and a table of the same numbers below.
"use strict";

const svg = (tag, attributes, ...children) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
  made.append(...children);
  return made;
};

// Told apart by shape and dash as well as by colour.
const marks = [
  (x, y) => svg("circle", { cx: x, cy: y, r: 4 }),
  (x, y) => svg("rect", { x: x - 3.5, y: y - 3.5, width: 7, height: 7 }),
  (x, y) => svg("path", { d: `M${x} ${y - 5}l5 8.5h-10z` }),
  (x, y) => svg("path", { d: `M${x} ${y - 5}l5 5-5 5-5-5z` }),
  (x, y) => svg("path", { d: `M${x - 4} ${y - 4}l8 8m0-8l-8 8`, "stroke-width": 2 }),
];
const dashes = ["", "6 3", "2 3", "8 3 2 3", "1 0"];

function chart(columns) {
  const width = 900, height = 420, left = 46, right = 12, top = 14, bottom = 30;
  const most = Math.max(100, ...columns.flatMap((column) => column.percent.filter((percent) => percent !== null)));
  const ceiling = Math.ceil(most / 20) * 20;
  const x = (i) => left + (width - left - right) * (i + 0.5) / data.steps.length;
  const y = (percent) => top + (height - top - bottom) * (1 - percent / ceiling);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": "Percent of FlashAttention-2 by step; the table below has the numbers", class: "chart" });
  for (let percent = 0; percent <= ceiling; percent += 20) {
    picture.append(svg("line", { x1: left, x2: width - right, y1: y(percent), y2: y(percent), class: percent === 100 ? "whole" : "grid" }),
      svg("text", { x: left - 8, y: y(percent) + 4, "text-anchor": "end" }, percent + " %"));
  }
  data.steps.forEach(([label, name, address], i) => picture.append(svg("a", { href: address }, svg("title", {}, name),
    svg("text", { x: x(i), y: height - 8, "text-anchor": "middle", class: "step" }, label))));
  columns.forEach((column, number) => {
    const group = svg("g", { class: "series s" + number % 5 });
    let path = "";
    column.percent.forEach((percent, i) => {
      if (percent === null) return;
      path += (path && column.percent[i - 1] !== null ? "L" : "M") + x(i).toFixed(1) + " " + y(percent).toFixed(1);
    });
    group.append(svg("path", { d: path, fill: "none", "stroke-dasharray": dashes[number % 5], class: "way" }));
    column.percent.forEach((percent, i) => {
      if (percent === null) return;
      const mark = marks[number % 5](x(i), y(percent));
      mark.append(svg("title", {}, data.steps[i][1] + ", " + column.gpu + ", " + column.type + ": " + percent.toFixed(1) + " %"));
      group.append(mark);
    });
    picture.append(group);
  });
  return picture;
}

function legend(columns) {
  const list = element("ul", { class: "legend" });
  columns.forEach((column, number) => {
    const sample = svg("svg", { viewBox: "0 0 34 12", width: 34, height: 12, "aria-hidden": "true" },
      svg("g", { class: "series s" + number % 5 }, svg("path", { d: "M0 6H34", "stroke-dasharray": dashes[number % 5], class: "way" }), marks[number % 5](17, 6)));
    list.append(element("li", {}, sample, " " + column.gpu + ", " + column.type));
  });
  return list;
}

function showLadder(state) {
  const columns = data.columns.filter((column) => column.length === state.length &&
    (state.type === "all" || column.type === state.type) && (state.gpu === "all" || column.gpu === state.gpu));
  document.getElementById("chart").replaceChildren(columns.length ? chart(columns) : element("p", {}, "Nothing was measured of this."), legend(columns));
  const head = element("tr", {}, element("th", { scope: "col" }, "step"));
  for (const column of columns) head.append(element("th", { scope: "col", class: "right" }, column.gpu + ", " + column.type));
  const body = element("tbody");
  data.steps.forEach(([, name, address], i) => {
    const row = element("tr", {}, element("th", { scope: "row" }, element("a", { href: address }, name)));
    for (const column of columns) row.append(element("td", { class: "right", "data-value": String(column.percent[i]) }, column.percent[i] === null ? "—" : column.percent[i].toFixed(1)));
    body.append(row);
  });
  document.getElementById("table").replaceChildren(element("table", {}, element("caption", {}, state.length === "mean"
    ? "Percent of FlashAttention-2, the harmonic mean over the lengths" : "Percent of FlashAttention-2 at seqlen " + state.length), element("thead", {}, head), body));
}

const lengths = unique(data.columns.map((column) => column.length));
setUpChoices([
  { name: "length", label: "Length", values: () => ["4096", ...lengths.filter((length) => length !== "4096")] },
  { name: "type", label: "Type", values: () => ["all", ...unique(data.columns.map((column) => column.type))] },
  { name: "gpu", label: "GPU", values: (state) => ["all", ...unique(data.columns.filter((column) => state.type === "all" || column.type === state.type).map((column) => column.gpu))] },
], showLadder);
