// What the instruments have in common: their data, their choices, and the address that holds what is chosen.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);

// Selects with these names and the values that `values(state)` offers for each; `show(state)` is called with each change.
// The address has the state: #word=ldmatrix_x4&row=256.
function setUpChoices(choices, show) {
  const form = document.getElementById("choices");
  let state = {};
  const selects = {};
  const update = (given) => {
    state = {};
    for (const { name, label, values } of choices) {
      const offered = values(state).map(String);
      const wanted = given[name];
      state[name] = offered.includes(wanted) ? wanted : offered[0];
      const select = selects[name];
      if (select.tagName === "SELECT") {
        select.replaceChildren(...offered.map((value) => element("option", { value }, value)));
        select.value = state[name];
        select.disabled = offered.length < 2;
      }
    }
    show(state, change);
  };
  const change = (changes) => {
    update({ ...state, ...changes });
    setAddress(state);
  };
  for (const { name, label } of choices) {
    const select = element("select", { id: "choice-" + name });
    selects[name] = select;
    select.addEventListener("change", () => change({ [name]: select.value }));
    form.append(element("span", {}, element("label", { for: "choice-" + name }, label), " ", select));
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", () => update(stateOfAddress()));
  update(stateOfAddress());
  document.documentElement.dataset.ready = "true";
}

function unique(list) {
  return [...new Set(list)];
}
