// The make-believe desk's page: reads what it has each second, tells our hotline what a click says.
const $ = (id) => document.getElementById(id);
const STATES = { new: "刚到", accepted: "已受理", dispatched: "已派警", arrived: "到场", child_seen: "见到孩子", concluded: "办结", refused: "拒收", returned: "退回" };
const ACTS = [["accepted", "受理"], ["dispatched", "已派警"], ["arrived", "到场"], ["child_seen", "见到孩子"], ["concluded", "办结"], ["returned", "退回 12345"], ["refused", "拒收"]];
let shown = "";

function say(words) { $("says").textContent = words; }

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

async function look() {
  let found;
  try { found = await (await fetch("/simulator/desk")).json(); } catch { say("连不上网关。"); return; }
  const now = JSON.stringify(found);
  if (now === shown) return;
  shown = now;
  for (const radio of document.querySelectorAll("[name=mood]")) radio.checked = radio.value === found.mood;
  $("empty").hidden = found.incidents.length > 0;
  $("incidents").replaceChildren(...found.incidents.map(draw));
}

$("moods").addEventListener("change", (event) => post(`/simulator/desk/mood/${event.target.value}`));
look();
setInterval(look, 1000);
