"use strict";
const $ = (id) => document.getElementById(id);
let people = [], account = location.hash.slice(1), shown = "";

const make = (tag, text, cls) => {
  const el = document.createElement(tag);
  if (text !== undefined) el.textContent = text;
  if (cls) el.className = cls;
  return el;
};

// Links in texts open in a tab of their own, as on a phone; nothing else of a text is markup.
const withLinks = (el, text) => {
  for (const part of text.split(/(https?:\/\/\S+)/)) {
    if (!/^https?:/.test(part)) { el.append(part); continue; }
    const a = make("a", part);
    a.href = part; a.target = "_blank"; a.rel = "noopener";
    el.append(a);
  }
  return el;
};

const fill = (id, items) => $(id).replaceChildren(...(items.length ? items : [make("li", "nothing yet")]));

const choose = (one) => {
  account = one.account; shown = "";
  location.hash = account;
  for (const b of document.querySelectorAll("#people button")) b.setAttribute("aria-pressed", b.value === account);
  $("who").textContent = one.name + "'s phone";
  $("about").textContent = one.about;
  const hints = [one.try_saying, one.born_on + " " + one.postal_code, one.language === "es" ? "sí" : "yes",
    one.language === "es" ? "pagar" : "pay", one.language === "es" ? "persona" : "human", "STOP"];
  $("hints").replaceChildren("Try: ", ...hints.map((h) => {
    const b = make("button", h);
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
  fill("thread", thread.map((m) => {
    const li = withLinks(make("li", undefined, m.direction === "inbound" ? "in" : "out"), m.body);
    if (m.direction !== "inbound") li.title = m.status + ", " + m.segments + " segment(s)";
    return li;
  }));
  $("thread").scrollTop = $("thread").scrollHeight;
};

const drawInside = (s) => {
  $("figures").replaceChildren(...Object.entries(s.figures).map(([name, amount]) => {
    const d = make("div");
    d.append(make("dt", name), make("dd", amount));
    return d;
  }));
  fill("explanation", s.explanation.map((t) => make("li", t)));
  fill("messages", s.messages.map((m) => {
    const li = make("li");
    li.append(make("span", m.status, "tag" + (m.stopped ? " stop" : "")), m.template);
    for (const v of m.verdicts) li.append(make("small", v));
    return li;
  }));
  $("ledger").replaceChildren(...s.ledger.map((t) => {
    const tr = make("tr");
    tr.append(make("td", t.debit), make("td", t.credit), make("td", t.amount, "amount"), make("td", t.why));
    return tr;
  }));
  fill("inbox", s.inbox.map((i) => make("li", i)));
  fill("cases", s.cases.map((c) => make("li", c)));
};

const refresh = async () => {
  if (!account) return;
  const answer = await fetch("/demo/state?account=" + encodeURIComponent(account));
  if (!answer.ok) return;
  const text = await answer.text();
  if (text === shown) return;
  shown = text;
  const state = JSON.parse(text);
  $("clock").textContent = state.clock;
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
    const li = make("li"), b = make("button", p.name);
    b.value = p.account;
    b.append(make("small", p.about));
    b.onclick = () => choose(p);
    li.append(b);
    return li;
  }));
  choose(people.find((p) => p.account === account) || people[0]);
  setInterval(refresh, 1000);
});
