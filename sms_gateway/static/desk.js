// The make-believe desk's page: reads what it has each second, tells our hotline what a click says.
const $ = (id) => document.getElementById(id);
const STATES = { new: "刚到", accepted: "已受理", dispatched: "已派警", arrived: "到场", child_seen: "见到孩子", lost_contact: "联系不上", concluded: "办结", refused: "拒收", returned: "退回" };
const ACTS = [["accepted", "受理"], ["dispatched", "已派警"], ["arrived", "到场"], ["child_seen", "见到孩子"], ["lost_contact", "联系不上"], ["concluded", "办结"], ["returned", "退回 12345"], ["refused", "拒收"]];
const BECAME = { taken: "12345 已收下", answered: "已答复", concluded: "已办结", declined: "不予受理", transferred: "已转出", withdrawn: "已撤回", merged: "已并单" };
const TRIES = {
  fees: { what: "家长反映：孩子在镇上读初中，学校每学期让交三百块资料费，不交不发书，想请有关部门管一管", place: "昭通市镇雄县泼机镇", child: "男，13 岁", kind: "complaint" },
  past: { what: "群众反映：隔壁邻居经常打孩子，孩子身上都是伤，今天没有动手，群众希望有人上门看看", place: "昭通市镇雄县乌峰街道", child: "女，七八岁", kind: "report" },
  now: { what: "群众反映：楼上爸爸正在用皮带打孩子，孩子一直在哭喊救命", place: "昭通市镇雄县泼机镇中学旁边", child: "男，10 岁左右", kind: "help" },
};
let shown = "";

const SAID_FOR_MS = 8000;
let fading = 0;

function say(words) {
  $("says").textContent = words;
  clearTimeout(fading);
  fading = setTimeout(() => { $("says").textContent = ""; }, SAID_FOR_MS);
}

async function post(path) {
  const answer = await fetch(path, { method: "POST" });
  say(answer.ok ? "已经告诉热线。" : `热线没有接受：${(await answer.json()).error || answer.status}`);
  await look();
}

function draw(incident) {
  const row = $("one").content.cloneNode(true);
  const find = (name) => row.querySelector(name);
  find(".service").textContent = incident.incident.service;
  find(".what").textContent = incident.incident.what;
  find(".state").textContent = STATES[incident.state] || incident.state;
  find(".incident").classList.add(`is-${incident.state}`);
  for (const [name, words] of incident.facts) {
    const box = document.createElement("div");
    const term = document.createElement("dt");
    const told = document.createElement("dd");
    term.textContent = name;
    told.textContent = words;
    box.append(term, told);
    find(".facts").append(box);
  }
  const parts = [incident.desk, incident.receipt && `警情编号 ${incident.receipt}`, incident.incident.ticket && `工单 ${incident.incident.ticket}`, incident.tries > 1 && `送了 ${incident.tries} 次`];
  find(".meta").textContent = parts.filter(Boolean).join(" · ");
  for (const [state, words] of ACTS) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = words;
    button.addEventListener("click", () => post(`/simulator/desk/incidents/${incident.reference}/${state}`));
    find(".acts").append(button);
  }
  return row;
}

function drawMatter(matter) {
  const row = $("one-matter").content.cloneNode(true);
  const find = (name) => row.querySelector(name);
  find(".service").textContent = matter.desk.slice(0, 3);
  find(".ticket").textContent = `工单 ${matter.ticket}`;
  find(".state").textContent = BECAME[matter.state] || matter.state;
  find(".matter").classList.add(`is-${matter.state}`);
  find(".what").textContent = matter.what;
  find(".meta").textContent = [`编号 ${matter.number}`, matter.place, matter.child, matter.caller && `报警人 ${matter.caller}`].filter(Boolean).join(" · ");
  return row;
}

async function fillDesks() {
  const { services, places } = await (await fetch("/simulator/desk/places")).json();
  $("service").replaceChildren(...services.map((service) => new Option(service, service)));
  $("place-of").replaceChildren(...places.map(({ adcode, name }) => new Option(name, adcode)));
  $("place-of").value = "530600";
}

async function hand(event) {
  event.preventDefault();
  const form = event.target;
  const { place_of, service, ...said } = Object.fromEntries(new FormData(form));
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  try {
    const answer = await fetch("/simulator/desk/matters", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ desk: `${service}@${place_of}`, ...said }) });
    const told = await answer.json();
    say(answer.ok ? (told.news ? `12345 收下了，工单 ${told.ticket}。` : `以前交过，还是工单 ${told.ticket}。`) : `12345 没有收：${told.error || answer.status}`);
    if (answer.ok) for (const name of ["what", "place", "child", "caller", "phone", "number"]) form.elements[name].value = "";
  } catch { say("连不上网关，没有交出去。"); } finally { button.disabled = false; }
  await look();
}

function tryOne(event) {
  const chosen = TRIES[event.target.dataset.try];
  if (!chosen) return;
  for (const [name, words] of Object.entries(chosen)) $("hand").elements[name].value = words;
  $("hand").elements.what.focus();
}

async function look() {
  let found;
  try { found = await (await fetch("/simulator/desk")).json(); } catch { say("连不上网关。"); return; }
  const now = JSON.stringify(found);
  if (now === shown) return;
  shown = now;
  for (const radio of document.querySelectorAll("[name=mood]")) radio.checked = radio.value === found.mood;
  $("empty").hidden = found.incidents.length > 0;
  $("incidents").replaceChildren(...found.incidents.map(draw));
  $("no-matters").hidden = found.matters.length > 0;
  $("matters").replaceChildren(...found.matters.map(drawMatter));
}

$("moods").addEventListener("change", (event) => post(`/simulator/desk/mood/${event.target.value}`));
$("hand").addEventListener("submit", hand);
$("hand").addEventListener("click", tryOne);
fillDesks();
look();
setInterval(look, 1000);
