// The make-believe phone. Texts are only ever set as text. The phone shown is in the address after "#", so it survives a reload.

const $ = (id) => document.getElementById(id);
const screen_ = $("screen"), texts = $("texts"), body = $("body");
const PEEK = 20;          // characters a locked phone shows (PRACTICE section 3)
const TYPING_MS = 8000;
const SIGNATURE = /^【[^】]{1,20}】/;
const GSM = /^[A-Za-z0-9 \r\n@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!"#¤%&'()*+,\-./:;<=>?¡ÄÖÑÜ§¿äöñüà]*$/;

let tail = "";
let stream = null;
let ready = false;
let typingTimer = 0;
let shown = new Map();    // id → { element, text }
let previews = new Map(); // tail → { last, at }

// ---- one phone ----

function number(of) {
  return `+86 138 0000 ${of}`;
}

function open(of) {
  tail = of;
  history.replaceState(null, "", "#" + of);
  ready = false;
  shown = new Map();
  texts.replaceChildren();
  $("notices").replaceChildren();
  $("number").textContent = number(of);
  showTyping(false);
  if (!previews.has(of)) previews.set(of, { last: "", at: "" });
  listPhones();
  if (stream) stream.close();
  stream = new EventSource(`/simulator/phones/${of}/stream`);
  stream.addEventListener("text", (event) => show(JSON.parse(event.data)));
  stream.addEventListener("ready", () => {
    ready = true;
    measure();
    if (!shown.size) showEmpty();
    toEnd();
  });
}

function showEmpty() {
  const item = document.createElement("li");
  item.className = "empty";
  item.textContent = "还没有短信。随便写一句，发给 12345。";
  texts.replaceChildren(item);
}

const STATES = { sending: "正在发送…", sent: "已送到", failed: "没发出去", queued: "", delivered: "" };

function show(text) {
  const known = shown.get(text.id);
  if (known) return update(known.element, text);
  if (!shown.size) texts.replaceChildren();
  const last = [...shown.values()].at(-1);
  if (!last || minutesBetween(last.text.at, text.at) >= 5) texts.append(when(text.at));
  const item = document.createElement("li");
  item.className = "text" + (text.mine ? " mine" : "") + (last && last.text.mine !== text.mine ? " turned" : "");
  item.append(bubble(text), Object.assign(document.createElement("div"), { className: "state" }));
  shown.set(text.id, { element: item, text });
  texts.append(item);
  update(item, text);
  previews.set(tail, { last: text.body, at: text.at });
  listPhones();
  if (!text.mine) {
    showTyping(false);
    if (ready && !$("lock-screen").hidden) notice(text);
  }
  toEnd();
}

function bubble(text) {
  const box = document.createElement("div");
  box.className = "bubble";
  const signature = text.mine ? null : text.body.match(SIGNATURE);
  if (signature) {
    const sign = document.createElement("span");
    sign.className = "sign";
    sign.textContent = signature[0];
    box.append(sign, text.body.slice(signature[0].length));
  } else {
    box.textContent = text.body || "（空短信）";
  }
  return box;
}

function update(item, text) {
  shown.get(text.id).text = text;
  item.classList.toggle("failed", text.state === "failed");
  const state = item.querySelector(".state");
  const parts = count(text.body).parts;
  const size = !text.mine && parts > 1 ? `${parts} 条合成` : "";
  state.textContent = text.mine ? `${clock(text.at)} ${STATES[text.state] ?? ""}` : [clock(text.at), size].filter(Boolean).join(" · ");
  if (text.mine && text.state === "sent") state.textContent += " ✓";
  if (text.state === "failed") {
    const again = Object.assign(document.createElement("button"), { type: "button", textContent: "再发一次" });
    again.addEventListener("click", () => send(text.body));
    state.append(again);
  }
}

function when(at) {
  const item = document.createElement("li");
  item.className = "when";
  const day = at.slice(0, 10) === today() ? "今天" : `${Number(at.slice(5, 7))}月${Number(at.slice(8, 10))}日`;
  item.textContent = `${day} ${clock(at)}`;
  return item;
}

function clock(at) { return at.slice(11, 16); }
function minutesBetween(a, b) { return (Date.parse(b) - Date.parse(a)) / 60000; }
function today() { return new Intl.DateTimeFormat("sv", { timeZone: "Asia/Shanghai" }).format(new Date()); }
function toEnd() { screen_.scrollTop = screen_.scrollHeight; }

function showTyping(on) {
  clearTimeout(typingTimer);
  $("typing").hidden = !on;
  if (on) { typingTimer = setTimeout(() => showTyping(false), TYPING_MS); toEnd(); }
}

// ---- writing ----

function count(text) {
  const plain = GSM.test(text);
  const units = text.length;  // UTF-16 units: what the carrier counts, an emoji is two
  const [one, many] = plain ? [160, 153] : [70, 67];
  return { units, parts: units <= one ? 1 : Math.ceil(units / many), room: units <= one ? one : Math.ceil(units / many) * many };
}

function measure() {
  const { units, parts, room } = count(body.value);
  body.style.height = "auto";
  body.style.height = Math.min(body.scrollHeight + 2, 112) + "px";
  $("send").disabled = !ready;
  $("units").textContent = units ? `${units}/${room} 字 · ${parts} 条` : "";
  $("units").classList.toggle("long", parts > 1);
  toEnd();
}

async function send(text) {
  const answer = await fetch(`/simulator/phones/${tail}/texts`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ body: text }),
  }).catch(() => null);
  if (answer && answer.ok) return showTyping(true);
  $("units").textContent = answer ? (await answer.json()).error : "连不上模拟运营商，请看看热线是不是还开着。";
  $("units").classList.add("long");
  body.value = text;
}

$("typer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = body.value;
  body.value = "";
  measure();
  send(text);
});
body.addEventListener("input", measure);
body.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && matchMedia("(pointer: fine)").matches) {
    event.preventDefault();
    $("typer").requestSubmit();
  }
});

// ---- the side: other phones, samples, faults ----

function listPhones() {
  const ordered = [...previews].sort(([, a], [, b]) => b.at.localeCompare(a.at));
  $("phones").replaceChildren(...ordered.map(([of, { last, at }]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-current", String(of === tail));
    for (const [name, value] of [["tail figures", number(of)], ["at", at && clock(at)], ["last", last || "还没有短信"]]) {
      button.append(Object.assign(document.createElement("span"), { className: name, textContent: value }));
    }
    button.addEventListener("click", () => { open(of); side(false); });
    const item = document.createElement("li");
    item.append(button);
    return item;
  }));
}

function side(on) { $("side").classList.toggle("open", on); }

$("open-side").addEventListener("click", () => side(true));
$("close-side").addEventListener("click", () => side(false));
$("fresh").addEventListener("click", async () => {
  open((await (await fetch("/simulator/fresh")).json()).tail);
  side(false);
});
$("samples").addEventListener("click", (event) => {
  if (event.target.tagName !== "BUTTON") return;
  body.value = event.target.textContent;
  measure();
  side(false);
  body.focus();
});

const faults = $("faults");
const FAULT_NOTES = {
  blocked: "发给手机的短信会被拦下，手机上看不到。", refused: "发给手机的短信会被退回。", busy: "运营商一直说忙，热线会隔一会儿再试。",
  opted_out: "运营商说对方退订了，短信送不到。", silent: "短信会到，但热线等不到回音，要自己去查。",
};

const SHARES = ["refused", "blocked", "undelivered", "no_answer", "answer_lost", "duplicated", "out_of_order"].map((what) => `share_${what}`);
const FAULT_NUMBERS = ["delay_seconds", "delay_most", "receipt_delay_seconds", "receipt_delay_most", "rate"];
const FAULT_TICKS = ["duplicate", "bulk"];

function showFaults(found) {
  faults.refuse.value = found.refuse;
  for (const name of FAULT_NUMBERS) faults[name].value = found[name];
  for (const name of SHARES) faults[name].value = Number((found[name] * 100).toFixed(4));
  for (const name of FAULT_TICKS) faults[name].checked = found[name];
  $("delay-shown").textContent = Math.round(found.delay_seconds);
  const notes = [FAULT_NOTES[found.refuse], found.delay_seconds > 0 && `每条晚到 ${Math.round(found.delay_seconds)} 秒。`, found.duplicate && "每条都送两遍，热线只该算一条。",
    [...SHARES, "rate", "delay_most", "receipt_delay_seconds", "receipt_delay_most"].some((name) => found[name] > 0) && "还有群发时的毛病。", found.bulk && "回执成批送来。"];
  $("faults-note").textContent = notes.filter(Boolean).join(" ");
  $("faults-note").hidden = !$("faults-note").textContent;
}

faults.addEventListener("input", () => { $("delay-shown").textContent = faults.delay_seconds.value; });
function wantedFaults() {
  const wanted = { refuse: faults.refuse.value };
  for (const name of FAULT_NUMBERS) wanted[name] = Number(faults[name].value);
  for (const name of SHARES) wanted[name] = Number(faults[name].value) / 100;
  for (const name of FAULT_TICKS) wanted[name] = faults[name].checked;
  return wanted;
}

let changes = 0;
let setting = Promise.resolve(); // one after the other, and only the last answer is shown: two quick changes must not undo each other
faults.addEventListener("change", () => {
  const mine = ++changes, wanted = wantedFaults();
  setting = setting.then(async () => {
    const answer = await fetch("/simulator/faults", { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(wanted) });
    if (answer.ok && mine === changes) showFaults(await answer.json());
  }).catch(() => {});
});

// ---- the locked screen ----

const MARK = '<svg viewBox="0 0 24 24"><path d="M12 4c5 0 9 3.2 9 7.2s-4 7.2-9 7.2c-.9 0-1.8-.1-2.6-.3L5.500 20l.7-3C4.300 15.700 3 13.600 3 11.200 3 7.200 7 4 12 4Z"/></svg>';

function notice(text) {
  const item = document.createElement("li");
  const mark = Object.assign(document.createElement("span"), { className: "app-mark", innerHTML: MARK });
  const peek = [...text.body];
  item.append(
    mark,
    Object.assign(document.createElement("b"), { textContent: "12345" }),
    Object.assign(document.createElement("time"), { textContent: clock(text.at) }),
    Object.assign(document.createElement("span"), { className: "peek", textContent: peek.slice(0, PEEK).join("") + (peek.length > PEEK ? "…" : "") }),
  );
  $("notices").querySelector(".none")?.remove();
  $("notices").prepend(item);
  while ($("notices").children.length > 4) $("notices").lastElementChild.remove();
}

function lock(on) {
  $("lock-screen").hidden = !on;
  $("device").classList.toggle("locked", on);
  if (on && !$("notices").children.length) {
    $("notices").append(Object.assign(document.createElement("li"), { className: "none", textContent: "新短信会出现在这里" }));
  }
  if (!on) { $("notices").replaceChildren(); toEnd(); }
}

$("lock").addEventListener("click", () => lock(true));
$("unlock").addEventListener("click", () => lock(false));

function tick() {
  const now = new Date();
  const time = new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(now);
  $("now").textContent = $("lock-time").textContent = time;
  $("lock-day").textContent = new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", month: "long", day: "numeric", weekday: "long" }).format(now);
}

// ---- start ----

async function start() {
  tick();
  setInterval(tick, 1000);
  measure();
  try {
    const [phones, found] = await Promise.all(["/simulator/phones", "/simulator/faults"].map(async (path) => (await fetch(path)).json()));
    previews = new Map(phones.map((phone) => [phone.tail, phone]));
    showFaults(found);
    const asked = location.hash.slice(1);
    open(/^\d{4}$/.test(asked) ? asked : phones[0]?.tail ?? "0001");
  } catch {
    $("units").textContent = "连不上模拟运营商，请看看热线是不是还开着。";
  }
}

addEventListener("hashchange", () => { const asked = location.hash.slice(1); if (/^\d{4}$/.test(asked) && asked !== tail) open(asked); });
start();
