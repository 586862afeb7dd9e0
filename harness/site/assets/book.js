// What all pages do: the table of contents as a drawer, light and dark, the search. Nothing is asked for outside of the
// site's folder.
"use strict";

const root = document.body ? document.body.dataset.root : "";

// --- The table of contents --------------------------------------------------------------------------------------------

function setUpContents() {
  const button = document.getElementById("contents-button");
  const contents = document.getElementById("contents");
  const show = (open) => {
    contents.classList.toggle("open", open);
    button.setAttribute("aria-expanded", String(open));
    if (open) (contents.querySelector("[aria-current]") || contents.querySelector("a")).focus();
  };
  button.addEventListener("click", () => show(!contents.classList.contains("open")));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && contents.classList.contains("open")) {
      show(false);
      button.focus();
    }
  });
  document.addEventListener("click", (event) => {
    if (contents.classList.contains("open") && !contents.contains(event.target) && !button.contains(event.target)) show(false);
  });
  const here = contents.querySelector("[aria-current]");
  if (here && contents.scrollHeight > contents.clientHeight) {
    contents.scrollTop = here.offsetTop - contents.offsetTop - contents.clientHeight / 3;
  }
}

// --- Light and dark ---------------------------------------------------------------------------------------------------

function setUpTheme() {
  const button = document.getElementById("theme-button");
  const isDark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };
  const label = () => { button.textContent = isDark() ? "Light" : "Dark"; };
  button.addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    try { localStorage.setItem("theme", theme); } catch (error) { /* chosen for this page alone */ }
    label();
  });
  label();
}

// --- The search -------------------------------------------------------------------------------------------------------

let index = null;

// Called by assets/search_index.js, which is loaded when somebody searches.
function searchIndex(made) {
  index = made;
  index.list = Object.keys(made.words).sort();
}

function loadIndex(then) {
  if (index) return then();
  const script = document.createElement("script");
  script.src = root + "assets/search_index.js";
  script.onload = then;
  document.head.append(script);
}

// The sections that have all the words of a query; a word also finds those that begin with it.
function sectionsFor(query) {
  const words = query.toLowerCase().match(/[\p{L}\p{N}_]+/gu) || [];
  let scores = null;
  for (const word of words) {
    const found = new Map();
    let at = 0;
    for (let high = index.list.length; at < high;) {
      const middle = (at + high) >> 1;
      if (index.list[middle] < word) at = middle + 1; else high = middle;
    }
    for (; at < index.list.length && index.list[at].startsWith(word); at++) {
      const places = index.words[index.list[at]];
      const weight = index.list[at] === word ? 3 : 1;
      for (let i = 0; i < places.length; i += 2) {
        found.set(places[i], Math.max(found.get(places[i]) || 0, weight * places[i + 1]));
      }
    }
    const before = scores;
    scores = new Map();
    for (const [section, score] of found) {
      if (!before || before.has(section)) scores.set(section, score + (before ? before.get(section) : 0));
    }
  }
  return scores ? [...scores].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([section]) => index.sections[section]) : [];
}

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

function setUpSearch() {
  const input = document.getElementById("search");
  const found = document.getElementById("found");
  const show = () => {
    const query = input.value.trim();
    found.hidden = query === "";
    if (found.hidden) return;
    const sections = sectionsFor(query);
    const list = element("ol");
    for (const [address, title, page, text] of sections.slice(0, 12)) {
      list.append(element("li", {}, element("a", { href: root + address },
        element("strong", {}, title), page ? element("small", {}, page) : "", element("small", {}, text))));
    }
    found.replaceChildren(sections.length ? list : element("p", {}, "No page has “" + query + "”."));
  };
  input.addEventListener("focus", () => loadIndex(() => {}));
  input.addEventListener("input", () => loadIndex(show));
  document.querySelector(".search").addEventListener("submit", (event) => {
    event.preventDefault();
    const first = found.querySelector("a");
    if (first) location.href = first.href;
  });
  document.querySelector(".search").addEventListener("keydown", (event) => {
    const links = [...found.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (event.key === "ArrowDown" && links.length) { event.preventDefault(); links[Math.min(at + 1, links.length - 1)].focus(); }
    if (event.key === "ArrowUp" && at >= 0) { event.preventDefault(); (at === 0 ? input : links[at - 1]).focus(); }
    if (event.key === "Escape") { input.value = ""; show(); input.focus(); }
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".search")) found.hidden = true;
    else if (event.target.closest("#found a")) found.hidden = true;
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) { event.preventDefault(); input.focus(); }
  });
}

// --- The state of a page, in its address ------------------------------------------------------------------------------

// "#tab=file&line=142" as an object; an anchor of the text gives an empty one, and L142 is a line.
function stateOfAddress() {
  const hash = decodeURIComponent(location.hash.slice(1));
  const line = hash.match(/^L(\d+)$/);
  if (line) return { line: line[1] };
  if (!hash.includes("=")) return {};
  return Object.fromEntries(new URLSearchParams(hash));
}

function setAddress(state) {
  const parts = Object.entries(state).filter(([, value]) => value !== "" && value != null);
  const text = parts.map(([name, value]) => name + "=" + encodeURIComponent(value)).join("&");
  history.replaceState(null, "", text ? "#" + text : location.pathname + location.search);
}

setUpContents();
setUpTheme();
setUpSearch();
