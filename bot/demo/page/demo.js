"use strict";
const $ = (id) => document.getElementById(id);
let people = [], account = location.hash.slice(1), shown = "", texts = -1;
let before = new Set();  // what was on the page a moment ago: whatever was not lights up
const opened = new Set();  // messages whose facts are unfolded

const make = (tag, cls, ...inside) => {
  const el = document.createElement(tag);
  if (cls) el.className = cls;
  el.append(...inside);
  return el;
};

// Links in texts open in a tab of their own, as on a phone; nothing else of a text is markup.
const withLinks = (el, text) => {
  for (const part of text.split(/(https?:\/\/\S+)/)) {
    if (!/^https?:/.test(part)) { el.append(part); continue; }
    const a = make("a", "", part);
    a.href = part; a.target = "_blank"; a.rel = "noopener";
    el.append(a);
  }
  return el;
};

const fill = (id, items, none) => $(id).replaceChildren(...(items.length ? items : none ? [make("li", "empty", none)] : []));

// A list whose rows light up when they are new. `key` names a row's content.
const rows = (name, list, key, draw, now) => list.map((one, place) => {
  const id = name + ":" + (list.length - place) + ":" + key(one), el = draw(one);
  now.add(id);
  if (before.size && !before.has(id)) el.classList.add("new");
  return el;
});

// The newest rows in sight, the others one press away.
const fold = (id, rest, box, items, most, none) => {
  fill(id, items.slice(0, most), none);
  $(rest).replaceChildren(...items.slice(most));
  $(box).hidden = items.length <= most;
  $(box).firstElementChild.textContent = (items.length - most) + " earlier";
};

const choose = (one) => {
  account = one.account; shown = ""; texts = -1; before = new Set();
  location.hash = account;
  for (const b of document.querySelectorAll("#people button")) b.setAttribute("aria-pressed", b.value === account);
  $("who").textContent = one.name + "’s phone";
  $("about").textContent = "When asked who you are, answer " + one.born_on + " and ZIP " + one.postal_code
    + ". Links in the texts open as they would on a phone.";
  const spanish = one.language === "es";
  const hints = [one.try_saying, one.born_on + " " + one.postal_code,
    ...(spanish ? ["sí", "pagar", "todo", "persona"] : ["yes", "pay", "all", "human"]), "STOP"];
  $("hints").replaceChildren(...hints.map((h) => {
    const b = make("button", "", h);
    b.type = "button";
    b.onclick = () => say(h);
    return b;
  }));
  refresh();
};

const say = async (body) => {
  await fetch("/demo/say", { method: "POST", headers: { "content-type": "application/json" },
    body: JSON.stringify({ account, body }) });
  setTimeout(refresh, 200);
};

const drawThread = (thread) => {
  const bubbles = thread.map((m) => withLinks(make("li", m.direction === "inbound" ? "in" : "out"), m.body));
  const last = thread[thread.length - 1];
  if (last && last.direction !== "inbound") bubbles.push(make("li", "state", last.status[0].toUpperCase() + last.status.slice(1)));
  $("thread").replaceChildren(...(bubbles.length ? bubbles : [make("li", "none", "No text was sent to this phone. Write first.")]));
  if (thread.length !== texts) $("log").scrollTop = $("log").scrollHeight;
  texts = thread.length;
};

const step = (s) => {
  const text = make("span", "", s.text);
  if (s.code) text.append(make("code", "", s.code));
  const li = make("li", s.part ? "part" : s.left ? "left" : "", text, make("span", "money", s.part ? "" : s.amount));
  li.title = s.sources;
  return li;
};

const visit = (v) => {
  const box = make("div", "", make("h4", "", v.heading));
  const list = make("ol", "steps", ...v.steps.map(step));
  list.lang = v.language;
  box.append(v.refused ? make("p", "refused", v.refused) : list);
  return box;
};

const message = (m) => {
  const li = make("li", "", make("div", "head", make("span", "", m.body.split("\n")[0]), make("span", "tag" + (m.stopped ? " stop" : ""), m.status)));
  for (const v of m.verdicts) {
    const why = make("span", "", make(v.stopped ? "strong" : "span", "", v.outcome));
    why.append(v.rule ? " by " + v.rule + ", “" + v.title + "”: " + v.reason + ". " + v.citation : ": " + v.reason);
    li.append(make("div", "verdict", v.stage + ": ", why));
  }
  if (m.verdicts.length) {
    const facts = make("details", "", make("summary", "", "The facts")), list = make("dl", "");
    list.append(make("dt", "", "Length"), make("dd", "", m.segments));
    for (const [name, value] of m.verdicts[m.verdicts.length - 1].facts) list.append(make("dt", "", name), make("dd", "", value));
    facts.append(list);
    facts.open = opened.has(m.id);
    facts.ontoggle = () => facts.open ? opened.add(m.id) : opened.delete(m.id);
    li.append(facts);
  }
  return li;
};

const transfer = (t) => {
  const what = make("td", "", t.what);
  if (t.code) what.append(make("code", "", t.code));
  return make("tr", "", what, make("td", "", t.credit), make("td", "", t.debit), make("td", "", t.on), make("td", "money", t.amount));
};

const drawInside = (s) => {
  const now = new Set();
  $("headline").textContent = s.headline;
  $("figures").replaceChildren(...s.figures.map((f) => make("div", f.zero ? "zero" : "", make("dt", "", f.name), make("dd", "", f.amount))));
  $("explanation").replaceChildren(...s.explanation.map(visit));
  fold("messages", "messages-rest", "earlier", rows("m", s.messages, (m) => m.id, message, now), 3, "Nothing was sent: nothing is due, so nothing is asked for.");
  fill("ledger", rows("t", s.ledger, JSON.stringify, transfer, now));
  fill("cases", rows("c", s.cases, JSON.stringify, (c) => make("li", "", make("span", "", c.text), make("span", "tag stop", c.kind)), now), "Nothing to do for this patient.");
  fold("inbox", "inbox-rest", "older", rows("i", s.inbox, (i) => i.what, (i) => make("li", "", make("span", "", i.what), make("span", "how", i.at + ", " + i.status)), now), 5, "Nothing yet.");
  before = now;
};

const refresh = async () => {
  if (!account) return;
  const asked = account, answer = await fetch("/demo/state?account=" + encodeURIComponent(asked));
  if (!answer.ok || asked !== account) return;
  const text = await answer.text();
  if (text === shown || asked !== account) return;
  shown = text;
  const state = JSON.parse(text);
  $("clock").textContent = state.clock;
  $("time").textContent = state.clock.split(", ").pop().replace(/ [AP]M$/, "");
  drawThread(state.thread);
  drawInside(state);
};

$("say").onsubmit = (event) => {
  event.preventDefault();
  const body = $("body").value.trim();
  $("body").value = "";
  if (body) say(body);
};

fetch("/demo/people").then((r) => r.json()).then((found) => {
  people = found;
  $("people").replaceChildren(...people.map((p) => {
    const b = make("button", "", p.name, make("small", "", p.about));
    b.value = p.account;
    b.onclick = () => choose(p);
    return make("li", "", b);
  }));
  choose(people.find((p) => p.account === account) || people[0]);
  setInterval(() => refresh().catch(() => {}), 1000);
});
