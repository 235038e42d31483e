"use strict";
const $ = (id) => document.getElementById(id);
let people = [], [account, app] = [...location.hash.slice(1).split(","), "sms"], shown = "", state = null, bot = "";
const APPS = { sms: ["", "Text message", "No text was sent to this phone. Write first."],
  telegram: ["bot", "Message", "Nothing here yet. Text “telegram” first: the link comes by text."] };
let seen = {};  // messages of each app when it was last looked at
let before = new Set();  // what was on the page a moment ago: whatever was not lights up
const opened = new Set();  // messages whose facts are unfolded

const make = (tag, cls, ...inside) => {
  const el = document.createElement(tag);
  if (cls) el.className = cls;
  el.append(...inside);
  return el;
};

// Links in messages open in a tab of their own, as on a phone; nothing else of a message is markup. The one that joins
// a Telegram chat presses Start in the Telegram of this phone instead: nothing leaves this machine.
const withLinks = (el, text) => {
  for (const part of text.split(/(https?:\/\/\S+)/)) {
    if (!/^https?:/.test(part)) { el.append(part); continue; }
    const join = part.match(/^https:\/\/t\.me\/(\w+)\?start=([\w-]+)$/);
    if (join && join[1] === bot) {
      const b = make("button", "join", part);
      b.type = "button";
      b.onclick = () => { use("telegram"); act("start", { token: join[2] }); };
      el.append(b);
      continue;
    }
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
  account = one.account; shown = ""; state = null; seen = {}; before = new Set();
  for (const b of document.querySelectorAll("#people button")) b.setAttribute("aria-pressed", b.value === account);
  $("who").textContent = one.name + "’s phone";
  $("about").textContent = "When asked who you are, answer " + one.born_on + " and ZIP " + one.postal_code
    + ". Links open as they would on a phone.";
  use(app);
  refresh();
};

const use = (name) => {
  app = APPS[name] ? name : "sms";
  location.hash = account + (app === "sms" ? "" : "," + app);
  $("phone").dataset.app = app;
  $("kind").textContent = APPS[app][0];
  $("body").placeholder = APPS[app][1];
  for (const b of document.querySelectorAll("#apps button")) b.setAttribute("aria-pressed", b.value === app);
  delete seen[app];
  if (state) { drawPhone(state); drawWays(state); }
};

const act = async (what, more) => {
  await fetch("/demo/" + what, { method: "POST", headers: { "content-type": "application/json" },
    body: JSON.stringify({ account, app, ...more }) });
  setTimeout(refresh, 200);
};

const say = (body) => act("say", { body });

const chip = (hint) => {
  const b = make("button", hint.now ? "now" : "", hint.say);
  b.type = "button";
  b.onclick = () => say(hint.say);
  return b;
};

// A file, then the words, then the buttons below the bubble, as Telegram draws them.
const bubble = (m) => {
  const li = make("li", m.direction === "inbound" ? "in" : "out");
  if (m.document) li.append(make("span", "file", m.document));
  withLinks(li, m.body);
  if (!(m.buttons || []).length) return [li];
  let place = 0;
  return [li, make("li", "keys", ...m.buttons.map((row) => make("div", "", ...row.map((label) => {
    const b = make("button", "", label), at = place++;
    b.type = "button";
    b.onclick = () => act("press", { message: m.id, place: at });
    return b;
  }))))];
};

const drawPhone = (s) => {
  const phone = s.apps[app], thread = phone.thread, last = thread[thread.length - 1];
  if (!same("thread", [app, thread])) {
    const bubbles = thread.flatMap(bubble);
    if (last && last.status && last.direction !== "inbound") bubbles.push(make("li", "state", last.status[0].toUpperCase() + last.status.slice(1)));
    $("thread").replaceChildren(...(bubbles.length ? bubbles : [make("li", "none", APPS[app][2])]));
  }
  $("starting").hidden = phone.ready;
  if (!same("hints", phone.hints)) $("hints").replaceChildren(...phone.hints.map(chip));
  if (thread.length !== seen[app]) $("log").scrollTop = $("log").scrollHeight;
  seen[app] = thread.length;
  for (const b of document.querySelectorAll("#apps button")) {
    const there = s.apps[b.value].thread.length;
    seen[b.value] ??= there;
    b.querySelector(".fresh").hidden = b.value === app || there <= seen[b.value];
  }
};

// Whether a part of the page was last drawn from just this: what is drawn anew loses the keyboard's focus.
const drawn = {};
const same = (part, from) => {
  const text = JSON.stringify(from), was = drawn[part];
  drawn[part] = text;
  return text === was;
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
  const li = make("li", "", make("div", "head", make("span", "", m.line), make("span", "via", m.via), make("span", "tag" + (m.stopped ? " stop" : ""), m.status)));
  for (const p of m.passed) li.append(make("div", "verdict", p.via + ": ", make("strong", "", "not this way"),
    (p.rule ? " by " + p.rule + ", “" + p.title + "”" : "") + ": " + p.reason + ". " + p.citation));
  for (const v of m.verdicts) {
    const why = make("span", "", make(v.stopped ? "strong" : "span", "", v.outcome));
    why.append(v.rule ? " by " + v.rule + ", “" + v.title + "”: " + v.reason + ". " + v.citation : ": " + v.reason);
    li.append(make("div", "verdict", v.stage + ": ", why));
  }
  if (m.verdicts.length) {
    const facts = make("details", "", make("summary", "", "The facts")), list = make("dl", "");
    if (m.segments) list.append(make("dt", "", "Length"), make("dd", "", m.segments));
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
  fill("talks", rows("k", s.talks, JSON.stringify, (k) => make("li", "", make("span", "", k.text), make("span", "via", k.via)), now), "Nobody has written yet.");
  fill("cases", rows("c", s.cases, JSON.stringify, (c) => make("li", "", make("span", "", c.text), make("span", "tag stop", c.kind)), now), "Nothing to do for this patient.");
  fold("inbox", "inbox-rest", "older", rows("i", s.inbox, (i) => i.what, (i) => make("li", "", make("span", "", i.what), make("span", "how", i.at + ", " + i.status)), now), 5, "Nothing yet.");
  before = now;
};

// Into the console, and there to whoever’s phone this is; in a tab of its own, so that both can stand side by side.
const drawWays = (s) => {
  const first = people.find((p) => p.account === account).name.split(" ")[0], thread = s.console[app];
  $("to-console").href = s.console.home;
  for (const [id, href, words] of [["to-thread", thread, first + "’s thread"], ["to-account", s.console.account, first + "’s account"]]) {
    $(id).hidden = !href;
    if (href) { $(id).href = href; $(id).textContent = words; }
  }
};

const refresh = async () => {
  if (!account) return;
  const asked = account, answer = await fetch("/demo/state?account=" + encodeURIComponent(asked));
  if (!answer.ok || asked !== account) return;
  const text = await answer.text();
  if (text === shown || asked !== account) return;
  shown = text;
  state = JSON.parse(text);
  bot = state.bot;
  $("clock").textContent = state.clock;
  $("time").textContent = state.clock.split(", ").pop().replace(/ [AP]M$/, "");
  drawPhone(state);
  drawWays(state);
  drawInside(state);
};

for (const b of document.querySelectorAll("#apps button")) b.onclick = () => use(b.value);

for (const b of document.querySelectorAll(".ahead button")) b.onclick = () => act("clock", { to: b.value });

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
