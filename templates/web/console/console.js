// Keyboard and idle sign-out. Every page works without it.
"use strict";
(() => {
  const rows = () => [...document.querySelectorAll("tr[data-row]")];
  const typing = (at) => at.closest("input, textarea, select, [contenteditable]") !== null;

  const step = (by) => {
    const all = rows();
    if (!all.length) return;
    const now = all.indexOf(document.activeElement.closest("tr[data-row]"));
    const next = all[Math.min(Math.max(now + by, 0), all.length - 1)];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  };

  // On a telephone the places stand in one row that scrolls: where one is has to be in sight.
  document.querySelector(".places [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

  const here = () => document.activeElement.closest("tr[data-row]");
  const press = (selector) => { const found = here()?.querySelector(selector); if (found) found.click(); };

  const keys = {
    j: () => step(1),
    k: () => step(-1),
    Enter: () => press("a[data-open]"),
    x: () => press("input[type=checkbox]"),
    d: () => press("button[data-done]"),
    "/": () => document.querySelector("input[type=search]")?.focus(),
    "?": () => document.getElementById("keys")?.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.key === "Enter" && event.target.closest("a, button, summary")) return;
    const act = keys[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens)?.showModal();
    const filler = event.target.closest("[data-fills]");
    if (filler) {
      const field = document.getElementById(filler.dataset.fills);
      field.value = filler.dataset.words;
      field.focus();
    }
    const all = event.target.closest("[data-checks]");
    if (all) for (const box of document.querySelectorAll(all.dataset.checks)) box.checked = all.checked;
  });

  // A tab that nobody sees asks for nothing; shown again, it asks at its next turn.
  document.addEventListener("htmx:before:request", (event) => {
    if (document.hidden && event.target.matches("[hx-trigger^='every']")) event.preventDefault();
  });

  // On a telephone the bar of places is one line that can be moved: the place that is open stands in sight.
  const here_now = document.querySelector(".places a[aria-current]");
  const bar = here_now?.closest("ul");
  if (bar && bar.scrollWidth > bar.clientWidth) bar.scrollLeft = here_now.offsetLeft - bar.clientWidth / 3;

  // Somebody walks away from a screen that is full of other people's bills: it must not stay.
  const idle = Number(document.body.dataset.idle || 0) * 60000;
  let last = Date.now();
  for (const kind of ["pointerdown", "keydown", "scroll"]) {
    document.addEventListener(kind, () => { last = Date.now(); }, { passive: true, capture: true });
  }
  if (idle) {
    setInterval(() => { if (Date.now() - last > idle) location.assign("/console/sign-in?late=1"); }, 5000);
  }
})();
