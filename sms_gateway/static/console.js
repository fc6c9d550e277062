// The operators' pages. The server renders; this keeps an open page true: clocks, the event stream, the bell, the composer.
// Words of people are only ever set as text here.

import { forgetDrafts, put, readyComposer, saveDraft, showTyping, takeOutSent } from "./console.composer.js";
import { follow, isUp, revive, tellOthers } from "./console.stream.js";
import { ring, soundIsOn, switchSound } from "./console.bell.js";

const $ = (id) => document.getElementById(id);
const body = document.body;
const here = { talk: body.dataset.talk || "", csrf: body.dataset.csrf, operator: body.dataset.operator };
const BEAT_SECONDS = 5;

// ---- htmx: our token on every change, errors as sentences, what somebody is typing stays ----

addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-CSRF"] = here.csrf; });
addEventListener("htmx:responseError", (event) => {
  if (event.target.matches?.(".act-form")) return;  // says it itself (casework.js)
  let sentence = "没有成功，请再试一次。";
  try { sentence = JSON.parse(event.detail.xhr.responseText).error || sentence; } catch { /* not ours */ }
  toast(sentence, true);
  if (event.detail.xhr.status === 409) reread();
});
addEventListener("htmx:sendError", () => toast("网络断了，没有送到。你写的还在，等连上再按一次。", true));
addEventListener("htmx:timeout", () => toast("服务器没有回应。你写的还在，请再按一次。", true));

Idiomorph.defaults.ignoreActiveValue = true;
Idiomorph.defaults.callbacks.beforeNodeMorphed = (old) => {
  if (!(old instanceof Element)) return true;
  return !(old.hasAttribute("data-keep") || (old.tagName === "DIALOG" && old.open));
};
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.hasAttribute("data-keep-open"));

addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt;
  if (!event.detail.successful || form.tagName !== "FORM") return;
  if (form.hasAttribute("data-clear")) form.reset();
  if (form.hasAttribute("data-shut")) { form.closest("dialog")?.close(); form.reset(); $("history")?.focus(); $("history")?.scrollIntoView({ block: "start" }); }
  if (form.hasAttribute("data-close")) { form.closest("dialog")?.close(); form.reset(); reread(); }
  if (form.id === "reply-form") sent();
});
// What had the focus and is gone after a swap (a button that was pressed) hands it on to the talk, where every key still is a shortcut.
let hadFocus = "";
addEventListener("focusin", (event) => { hadFocus = event.target.id || event.target.closest?.("[id]")?.id || ""; });
// A press on bare paper leaves the field on purpose.
addEventListener("pointerdown", (event) => { if (!event.target.closest("button, a, input, textarea, select, summary, label, [tabindex]")) hadFocus = ""; });
function keepFocus() {
  if (document.activeElement !== body || !here.talk || document.querySelector("dialog[open]") || !hadFocus) return;
  ($(hadFocus)?.matches?.("button, a, input, textarea") ? $(hadFocus) : $("lines"))?.focus({ preventScroll: true });
}
addEventListener("htmx:afterSettle", () => { settle(); keepFocus(); });
addEventListener("htmx:oobAfterSwap", () => settle());

function reread(queue = true) {
  if (here.talk) htmx.trigger(body, "reread-talk");
  if (queue) htmx.trigger(body, "reread-queue");
}

// ---- clocks run on the server's time ----

let skew = Number(body.dataset.now) - Date.now();
const now = () => Date.now() + skew;

function span(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  if (s < 3600) return `${Math.floor(s / 60)}:${two(s % 60)}`;
  if (s < 86400) return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  return `${Math.floor(s / 86400)} 天`;
}

function left(ms) {
  const minutes = Math.round(Math.abs(ms) / 60000);
  const words = minutes < 60 ? `${minutes} 分钟` : minutes < 2880 ? `${Math.floor(minutes / 60)} 小时` : `${Math.floor(minutes / 1440)} 天`;
  return ms < 0 ? `超时 ${words}` : `还有 ${words}`;
}

function tickClocks() {
  for (const clock of document.querySelectorAll("[data-since]")) {
    const words = span((now() - Number(clock.dataset.since)) / 1000);
    if (clock.textContent !== words) clock.textContent = words;
  }
  for (const due of document.querySelectorAll("[data-due]")) {
    const words = left(Number(due.dataset.due) - now());
    if (due.textContent !== words) due.textContent = words;
    due.classList.toggle("late", words.startsWith("超时"));
  }
}

// ---- the bell ----

let alarms = [];
const known = new Set(JSON.parse(sessionStorage.getItem("acknowledged") || "[]"));
const told = new Set();
const title = document.title;
const icon = $("favicon").href;

const pending = () => alarms.filter((alarm) => !known.has(alarm.key));

const pageOf = (alarm) => (alarm.thread ? `/talks/${alarm.thread}` : "/team");

function showAlarms(list) {
  alarms = list;
  const calling = pending();
  const bar = $("alarms");
  bar.hidden = !calling.length;
  bar.replaceChildren(...calling.slice(0, 3).map(alarmLine), ...(calling.length ? [acknowledgeButton(calling.length)] : []));
  tickClocks();
  body.style.setProperty("--alarms", `${bar.getBoundingClientRect().height}px`);
  for (const alarm of calling) if (!told.has(alarm.key)) { told.add(alarm.key); announce(alarm); }
  if (!calling.length) { document.title = title; $("favicon").href = icon; }
}

function alarmLine(alarm) {
  const line = document.createElement("a");
  line.className = `alarm ${alarm.kind}`;
  line.href = pageOf(alarm);
  const what = document.createElement("strong");
  what.textContent = alarm.says;
  const clock = document.createElement("time");
  clock.className = "figures";
  clock.dataset.since = alarm.since;
  const step = document.createElement("span");
  step.className = "small";
  step.textContent = alarm.kind === "red" ? alarm.step : "";
  line.append(what, clock, step);
  return line;
}

function acknowledgeButton(count) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "acknowledge";
  button.id = "acknowledge";
  button.textContent = count > 1 ? `知道了（${count}）` : "知道了";
  button.title = "这一次不再响；没人接会再响（A）";
  button.addEventListener("click", acknowledge);
  return button;
}

function acknowledge() {
  const keys = pending().map((alarm) => alarm.key);
  for (const key of keys) known.add(key);
  tellOthers("acknowledged", keys);
  sessionStorage.setItem("acknowledged", JSON.stringify([...known].slice(-200)));
  showAlarms(alarms);
}

function announce(alarm) {
  if (alarm.rings) ring();
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  // Nothing of the person's words: a notification may be read over a shoulder.
  const note = new Notification(alarm.says, { body: "点开接手", icon: "/static/console.red.svg", tag: alarm.key, requireInteraction: alarm.kind === "red" });
  note.addEventListener("click", () => { focus(); location.href = pageOf(alarm); });
}

function flash(second) {
  const calling = pending();
  if (!calling.length) return;
  const on = second % 2 === 0;
  document.title = on ? `【${calling.length}】${calling[0].says}` : title;
  $("favicon").href = on ? "/static/console.red.svg" : icon;
  if (second % 4 === 0 && calling.some((alarm) => alarm.rings)) ring();
}

$("sound").addEventListener("click", async () => {
  showSound(await switchSound());
  if (soundIsOn() && "Notification" in window && Notification.permission === "default") Notification.requestPermission();
});

function showSound(on) {
  $("sound").setAttribute("aria-pressed", String(on));
  $("sound").classList.toggle("off", !on);
  $("sound").querySelector("span").textContent = on ? "声音开着" : "打开声音";
}
// A browser lets a page sound only after a click on it: the button says so until then.
addEventListener("bell-changed", (event) => showSound(event.detail));
showSound(soundIsOn());

// ---- the stream ----

let broken = false;

const NEWS = {
  open: () => showLine(true),
  quiet: () => showLine(true),
  changed,
  typing: (talks) => { if (talks.includes(here.talk)) showTyping(true); },
  away: () => showLine(false, "数据库断开"),
  lost: () => showLine(false),
  over: () => beat(true),  // of the page that has the stream: this one may have signed in again since
  acknowledged: (keys) => { for (const key of keys) known.add(key); showAlarms(alarms); },
};

function changed(news) {
  showLine(true);
  skew = news.now - Date.now();
  showAlarms(news.alarms);
  dispatchEvent(new CustomEvent("tickets-changed", { detail: news.tickets }));
  if (news.broadcasts?.length) dispatchEvent(new CustomEvent("broadcasts-changed", { detail: news.broadcasts }));
  const missed = news.threads.includes("*");
  if (here.talk && (missed || news.threads.includes(here.talk) || news.escalations.length)) later("talk", 40);
  if (missed || news.threads.length || news.escalations.length) later("queue", news.escalations.length ? 60 : 400);
}

// Many changes in a burst are read once; the first is never put off by those that follow.
const waiting = { talk: 0, queue: 0 };
function later(what, ms) {
  if (waiting[what]) return;
  waiting[what] = setTimeout(() => { waiting[what] = 0; htmx.trigger(body, `reread-${what}`); }, ms);
}

function showLine(fine, says = "连接断开") {
  const line = $("line");
  line.classList.toggle("down", !fine);
  line.querySelector("span").textContent = fine ? "实时" : says;
  if (!fine && !broken) { broken = true; probe(); }
  if (fine && broken) { broken = false; showAway(null); reread(); }
}

function showAway(state) {
  const bar = $("away");
  bar.hidden = !broken;
  if (!broken) return;
  bar.classList.toggle("red", Boolean(state && (state.database === "down" || state.spooled_red)));
  if (!state) bar.textContent = "连接断开，正在重连。这一页显示的可能不是最新的；有急事用座机。";
  else if (state.database === "down") bar.textContent = `数据库断开，正在恢复。来信都先存在本机：${state.spooled} 条${state.spooled_red ? `，其中红色 ${state.spooled_red} 条，已自动回了保命短信，请马上叫系统值守` : ""}。`;
  else bar.textContent = "连接断开，正在重连。";
}

async function probe() {
  showAway(null);
  try {
    const answer = await fetch("/live/health", { signal: AbortSignal.timeout(4000) });
    showAway(await answer.json());
  } catch { showAway(null); }
}

async function beat(over = false) {
  try {
    const answer = await fetch(here.talk ? `/live/beat?talk=${here.talk}` : "/live/beat", { method: "POST", headers: { "X-CSRF": here.csrf }, signal: AbortSignal.timeout(4000) });
    if (answer.status === 401) return toSignIn();
    if (over && answer.status === 403) { saveDraft(); return location.reload(); }  // signed in again in another tab
    if (!answer.ok) throw new Error("beat");
    const state = await answer.json();
    skew = state.now - Date.now();
    revive();
    if (isUp()) showLine(true);
  } catch {
    showLine(false);
    probe();
  }
}

function toSignIn() {
  saveDraft();
  location.href = `/sign-in?back=${encodeURIComponent(location.pathname)}`;
}

let seconds = 0;
function everySecond() {
  seconds++;
  tickClocks();
  flash(seconds);
  if (seconds % BEAT_SECONDS === 0) beat();
}

// ---- the talk: its texts stay at the end, what was opened stays open ----

let wasAtEnd = true;
let lastText = "";

function settle() {
  tickClocks();
  const lines = $("lines");
  if (!lines) return;
  const newest = lines.querySelector(".texts > li:last-child")?.id || "";
  if (newest !== lastText) {
    if (wasAtEnd || !lastText) lines.scrollTop = lines.scrollHeight;
    lastText = newest;
  }
  readyComposer();
}

$("lines")?.addEventListener("scroll", (event) => {
  const lines = event.currentTarget;
  wasAtEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 60;
});

// ---- the composer ----

function sent() {
  wasAtEnd = true;
  takeOutSent();
  settle();
}

function say(text) {
  if (!put(text)) toast("先接手，才能写。");
}

// ---- clicks ----

const openMenus = () => document.querySelectorAll("details.me[open], details.more[open]");

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-dialog],[data-close-dialog],[data-text],[data-hide]");
  if (!target) {
    for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
    return;
  }
  if (target.dataset.hide) { $(target.dataset.hide).replaceChildren(); $("lines")?.focus(); }
  else if (target.dataset.dialog) $(target.dataset.dialog)?.showModal();
  else if (target.hasAttribute("data-close-dialog")) target.closest("dialog").close();
  else say(target.dataset.text);
});

addEventListener("htmx:confirm", (event) => {
  if (!event.detail.question) return;
  event.preventDefault();
  ask(event.detail.question).then((yes) => yes && event.detail.issueRequest(true));
});

$("sign-out")?.addEventListener("submit", (event) => {
  const form = event.currentTarget;
  const mine = document.querySelectorAll("#main .minis.mine > li").length;
  if (!mine || form.dataset.sure) { forgetDrafts(); return; }
  event.preventDefault();
  ask(`你手上还有 ${mine} 个会话，退出后没有人看着。还要退出吗？`).then((yes) => { if (yes) { form.dataset.sure = "1"; forgetDrafts(); form.submit(); } });
});

function ask(question) {
  const sheet = document.createElement("dialog");
  sheet.className = "sheet";
  sheet.setAttribute("aria-label", question);
  const words = document.createElement("p");
  words.textContent = question;
  const acts = document.createElement("p");
  acts.className = "actions";
  const no = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: "不了" });
  const yes = Object.assign(document.createElement("button"), { type: "button", className: "button main", textContent: "是" });
  acts.append(no, yes);
  sheet.append(words, acts);
  body.append(sheet);
  return new Promise((resolve) => {
    no.addEventListener("click", () => { resolve(false); sheet.close(); });
    yes.addEventListener("click", () => { resolve(true); sheet.close(); });
    sheet.addEventListener("close", () => { resolve(false); sheet.remove(); });
    sheet.showModal();
  });
}

addEventListener("drafts-are-back", () => toast("刚才没发出去的话还在，看一下再发。"));

let toastTimer = 0;
function toast(sentence, bad = false) {
  const box = $("toast");
  box.textContent = sentence;
  box.classList.toggle("bad", bad);
  box.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { box.hidden = true; }, bad ? 8000 : 3500);
}

// A shown number hides itself again.
addEventListener("htmx:afterSwap", (event) => {
  const shown = document.querySelector("[data-hide-after]");
  if (!shown || shown.dataset.ready) return;
  shown.dataset.ready = "1";
  shown.setAttribute("data-keep", "");
  setTimeout(() => { shown.textContent = ""; delete shown.dataset.ready; shown.removeAttribute("data-hide-after"); }, Number(shown.dataset.hideAfter) * 1000);
});

// ---- keyboard ----

function rows() { return [...document.querySelectorAll("[data-row] a")].filter((link) => link.offsetParent); }

function step(by) {
  const all = rows();
  const at = all.indexOf(document.activeElement);
  all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by))]?.focus();
}

// Out of a field for good: a reread that gave the focus back would take the next shortcut for a letter of the reply.
function leave(field) {
  field.blur();
  hadFocus = "";
  $("lines")?.focus({ preventScroll: true });
}

function openSheet(id) { $(id)?.showModal?.(); }

const KEYS = {
  "?": () => $("keys").showModal(),
  g: () => { location.href = "/"; },
  n: () => { const link = document.querySelector(".waiting [data-row] a, .rail [data-row] a"); if (link) location.href = link.href; },
  j: () => step(1),
  k: () => step(-1),
  t: () => $("take")?.click(),
  r: () => $("reply")?.focus(),
  q: () => $("next-say")?.click(),
  b: () => { if ($("bridge-button") && !$("bridge-button").disabled) $("bridge-button").click(); },
  x: () => openSheet("transfer-sheet"),
  w: () => ($("whisper") ? $("whisper").focus() : openSheet("whisper-sheet")),
  p: () => $("place")?.focus(),
  y: () => openSheet("history-sheet"),
  l: () => $("lines")?.focus(),
  h: () => { if (!$("hand-over-button")?.disabled) $("hand-over-sheet")?.showModal(); },
  e: () => { if (!$("close-button")?.disabled) $("close-sheet")?.showModal(); },
  a: () => acknowledge(),
  s: () => $("sound").click(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "Escape" && typing && !document.querySelector("dialog[open]")) { leave(event.target); return; }
  if (event.key === "Escape") for (const menu of openMenus()) { menu.open = false; menu.querySelector("summary").focus(); }
  if (typing || document.querySelector("dialog[open]")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const digit = /^Digit([1-9])$/.exec(event.code)?.[1];
  if (digit) {
    const saying = document.querySelectorAll(event.shiftKey ? ".canned.here [data-text]" : ".canned.always [data-text]")[Number(digit) - 1];
    if (saying && $("reply")) { event.preventDefault(); say(saying.dataset.text); }
  } else if (KEYS[key]) {
    event.preventDefault();
    KEYS[key]();
  }
});

// ---- start ----

new Worker("/static/console.ticker.js").addEventListener("message", everySecond);
follow((kind, data) => NEWS[kind]?.(data));
beat();
tickClocks();
settle();
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) { beat(); later("queue", 10); later("talk", 10); } });
