// What the instruments have in common: their data, their choices, and the address that holds what is chosen.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);

// Selects with these names and the values that `values(state)` offers for each, or fields for a number within
// `range(state)`; `show(state)` is called with each change. The address has the state: #word=ldmatrix_x4&row=256.
function setUpChoices(choices, show) {
  const form = document.getElementById("choices");
  let state = {};
  const fields = {};
  const update = (given) => {
    state = {};
    for (const { name, values, range } of choices) {
      const field = fields[name];
      if (range) {
        [field.min, field.max] = range(state);
        const wanted = Math.round(Number(given[name])) || 0;
        state[name] = field.value = String(Math.min(Math.max(wanted, field.min), field.max));
        continue;
      }
      const offered = values(state).map(String);
      const wanted = given[name];
      state[name] = offered.includes(wanted) ? wanted : offered[0];
      field.replaceChildren(...offered.map((value) => element("option", { value }, value)));
      field.value = state[name];
      field.disabled = offered.length < 2;
    }
    show(state, change);
  };
  const change = (changes) => {
    update({ ...state, ...changes });
    setAddress(state);
  };
  for (const { name, label, range } of choices) {
    const id = "choice-" + name;
    const field = range ? element("input", { id, type: "number" }) : element("select", { id });
    fields[name] = field;
    field.addEventListener("change", () => change({ [name]: field.value }));
    form.append(element("span", {}, element("label", { for: id }, label), " ", field));
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", () => update(stateOfAddress()));
  update(stateOfAddress());
  document.documentElement.dataset.ready = "true";
}

function unique(list) {
  return [...new Set(list)];
}
