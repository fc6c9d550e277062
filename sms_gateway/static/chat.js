// The public chat. Texts are only ever set as text, never as markup. Nothing is kept in the browser but the signed session.

const LONGEST = 5000;
const NEARLY = 4500;
const TYPING_MS = 8000;
const TELL_TYPING_MS = 3000;

const $ = (id) => document.getElementById(id);
const talk = $("talk"), texts = $("texts"), body = $("body"), send = $("send"), trouble = $("trouble"), count = $("count");

const shown = new Map();    // id of a stored text → its element
const waiting = new Map();  // our own id of a text on its way → { element, body }
let stream = null;
let typingTimer = 0;

// ---- showing ----

const OWNERS = {
  assistant: "自动回复，随时可以找真人",
  waiting: "正在叫值班员",
  operator: "值班员在线，是真人",
  closed: "自动回复，随时可以找真人",
};

function showOwner(owner) {
  const line = $("owner");
  line.textContent = OWNERS[owner] || OWNERS.assistant;
  line.className = "small " + (owner || "");
}

function clock(at) {
  return at.slice(11, 16);
}

function element(who, text, note) {
  const item = document.createElement("li");
  item.className = "text " + who;
  const bubble = document.createElement("div");
  bubble.className = "bubble";
  bubble.textContent = text;
  const line = document.createElement("div");
  line.className = "note";
  line.textContent = note;
  item.append(bubble, line);
  return item;
}

const NOTES = { me: "", machine: "自动回复 ", operator: "值班员 " };

function place(item, id) {
  item.dataset.id = id;
  let after = texts.lastElementChild;  // texts still on their way have no id and stay at the end
  while (after && !(Number(after.dataset.id) < id)) after = after.previousElementSibling;
  after ? after.after(item) : texts.prepend(item);
}

function show(text) {
  if (shown.has(text.id)) return;
  const near = isAtEnd();
  const ours = text.who === "me" ? [...waiting].find(([, sent]) => sent.id === text.id) : undefined;
  let item;
  if (ours) {
    item = ours[1].element;
    waiting.delete(ours[0]);
    item.classList.remove("sending");
    item.querySelector(".note").textContent = clock(text.at);
  } else {
    item = element(text.who, text.body, NOTES[text.who] + clock(text.at));
  }
  place(item, text.id);
  shown.set(text.id, item);
  $("welcome").classList.add("past");
  if (text.who !== "me") {
    showTyping(false);
    untold.add(text.id);
    queueMicrotask(tellShown);
  }
  near || text.who === "me" ? toEnd() : ($("newest").hidden = false);
}

function showTyping(on) {
  clearTimeout(typingTimer);
  $("typing").hidden = !on;
  if (on) typingTimer = setTimeout(() => showTyping(false), TYPING_MS);
}

function isAtEnd() {
  return talk.scrollHeight - talk.scrollTop - talk.clientHeight < 80;
}

function toEnd() {
  talk.scrollTop = talk.scrollHeight;
  $("newest").hidden = true;
}

function complain(sentence) {
  trouble.textContent = sentence || "";
  trouble.hidden = !sentence;
}

// ---- writing ----

function newId() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function write(text) {
  const id = newId();
  const item = element("me", text, "正在发送…");
  item.classList.add("sending");
  texts.append(item);
  waiting.set(id, { element: item, body: text });
  $("welcome").classList.add("past");
  toEnd();
  await post(id);
}

async function post(id, tries = 3) {
  const sent = waiting.get(id);
  sent.element.classList.remove("failed");
  sent.element.classList.add("sending");
  sent.element.querySelector(".note").textContent = "正在发送…";
  let sentence = "没有发出去";
  for (let attempt = 1; attempt <= tries; attempt++) {
    try {
      const answer = await fetch("/chat/texts", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ id, body: sent.body }),
      });
      if (answer.ok) return posted(id, (await answer.json()).id);
      sentence = (await answer.json()).error || sentence;
      if (answer.status < 500) break;
    } catch { /* no network: try again */ }
    if (attempt < tries) await new Promise((resolve) => setTimeout(resolve, attempt * 1000));
  }
  failed(id, sentence);
}

function posted(id, stored) {
  const sent = waiting.get(id);
  sent.id = stored;
  sent.element.classList.remove("sending");
  sent.element.querySelector(".note").textContent = "已收到";
  complain("");
  if (shown.has(stored)) {  // the stream was quicker
    waiting.delete(id);
    sent.element.remove();
  }
  if (!$("owner").classList.contains("operator")) showTyping(true);
  listen();
}

function failed(id, sentence) {
  const sent = waiting.get(id);
  sent.element.classList.remove("sending");
  sent.element.classList.add("failed");
  const note = sent.element.querySelector(".note");
  note.textContent = "没有发出去";
  const again = document.createElement("button");
  again.type = "button";
  again.className = "again";
  again.textContent = "再发一次";
  again.addEventListener("click", () => post(id));
  note.append(again);
  complain(sentence);
}

// Whoever has the talk open sees that we write; not what. Only while a person is there to see it.
let toldTyping = -Infinity;
function tellTyping() {
  if (!body.value.trim() || !$("owner").classList.contains("operator") || performance.now() - toldTyping < TELL_TYPING_MS) return;
  toldTyping = performance.now();
  fetch("/chat/typing", { method: "POST" }).catch(() => {});
}

function measure() {
  const length = [...body.value].length;
  const near = isAtEnd();
  body.style.height = "auto";
  body.style.height = Math.min(body.scrollHeight + 2, 144) + "px";
  send.disabled = !body.value.trim();
  if (near) toEnd();
  count.hidden = length < NEARLY;
  count.textContent = `${length} / ${LONGEST}`;
  count.classList.toggle("over", length > LONGEST);
  if (length <= LONGEST && trouble.dataset.why === "long") complain(trouble.dataset.why = "");
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = body.value;
  if (!text.trim()) return;
  if ([...text].length > LONGEST) {
    trouble.dataset.why = "long";
    complain(`太长了，一次最多 ${LONGEST} 个字。你写的还在，分成几段发就行。`);
    return;
  }
  body.value = "";
  measure();
  body.focus();
  write(text);
});

body.addEventListener("input", () => { measure(); tellTyping(); });
body.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && matchMedia("(pointer: fine)").matches) {
    event.preventDefault();
    $("composer").requestSubmit();
  }
});
for (const starter of document.querySelectorAll("[data-say]")) starter.addEventListener("click", () => write(starter.dataset.say));
$("newest").addEventListener("click", toEnd);
talk.addEventListener("scroll", () => { if (isAtEnd()) $("newest").hidden = true; });

// ---- listening ----

function listen() {
  if (stream && stream.readyState !== EventSource.CLOSED) return;
  const last = Math.max(0, ...shown.keys());
  stream = new EventSource(`/chat/stream?after=${last}`);
  stream.addEventListener("open", () => line(""));
  stream.addEventListener("text", (event) => show(JSON.parse(event.data)));
  stream.addEventListener("owner", (event) => showOwner(JSON.parse(event.data)));
  stream.addEventListener("left", () => leave());
  stream.addEventListener("error", () => {
    line("网络断了，正在重连…");
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  });
}

function line(sentence) {
  $("line").textContent = sentence || (matchMedia("(pointer: fine)").matches ? "连按两下 Esc 也能马上离开" : "右上角可以马上离开");
}

// ---- what stands here is told, so that somebody worries about what does not ----

const untold = new Set();

async function tellShown() {
  const ids = [...untold];
  if (!ids.length) return;
  untold.clear();
  try {
    const answer = await fetch("/chat/shown", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ ids }) });
    if (!answer.ok) throw new Error("shown");
  } catch { for (const id of ids) untold.add(id); }
}
setInterval(tellShown, 5000);  // what could not be told at once

// ---- leaving ----

let leaving = false;

function leave() {
  if (leaving) return;
  leaving = true;
  document.documentElement.classList.add("gone");
  document.title = "";
  texts.replaceChildren();
  body.value = "";
  if (stream) stream.close();
  navigator.sendBeacon("/chat/leave");
  location.replace("about:blank");
}

let lastEscape = -Infinity; // one press soon after the page came is not two
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const now = performance.now();
  if (now - lastEscape < 1000) leave();
  lastEscape = now;
});
$("leave").addEventListener("click", leave);
// A page brought back from the browser's memory starts anew.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

// ---- start ----

async function start() {
  line("");
  body.value = "";
  measure();
  try {
    const answer = await (await fetch("/chat/texts")).json();
    answer.texts.forEach(show);
    showOwner(answer.owner);
    if (answer.owner !== null) listen();
    toEnd();
  } catch {
    line("网络断了，请稍后刷新");
  }
}

start();
