// 群发: keeps what is typed, puts fields into the text, picks places, and reads an open page again when a broadcast moved.
// What a text costs and when it is done is reckoned on the server only (`/check`): one source of truth.

const $ = (id) => document.getElementById(id);
const all = (what, where = document) => [...where.querySelectorAll(what)];

// ---- the page is read again when something moved, at most once a second ----

let due = 0, last = 0;
addEventListener("broadcasts-changed", (event) => {
  const mine = document.body.dataset.broadcast;
  if (mine && !event.detail.includes("*") && !event.detail.includes(mine)) return;
  if (due) return;
  due = setTimeout(() => { due = 0; last = Date.now(); htmx.trigger(document.body, "reread-outreach"); }, Math.max(0, 900 - (Date.now() - last)));
});
setInterval(() => { if (document.querySelector("#tests [data-open]")) htmx.trigger("#tests", "reread-tests"); }, 3000);

// ---- the test texts' form stays: what went wrong is said in it by casework.js ----

addEventListener("htmx:afterRequest", (event) => {
  if (!event.target.matches?.("#test-form") || !event.detail.successful) return;
  $("numbers").value = "";
  for (const button of all("button[type=submit]", event.target)) button.disabled = false;
});

// ---- acts that are asked about twice ----

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-sure]");
  if (!button) return;
  const sheet = document.createElement("dialog");
  sheet.className = "sheet";
  sheet.setAttribute("aria-label", button.dataset.sure);
  const words = document.createElement("p");
  words.textContent = button.dataset.sure;
  const acts = Object.assign(document.createElement("p"), { className: "actions" });
  const no = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: "不了" });
  const yes = Object.assign(document.createElement("button"), { type: "button", className: "button danger", textContent: button.dataset.yes || "是" });
  no.addEventListener("click", () => sheet.close());
  yes.addEventListener("click", () => { sheet.close(); button.form.requestSubmit(); });
  sheet.addEventListener("close", () => { sheet.remove(); button.focus(); });
  acts.append(no, yes);
  sheet.append(words, acts);
  document.body.append(sheet);
  sheet.showModal();
});

$("print")?.addEventListener("click", () => print());

// ---- the composer ----

const form = $("draft-form");
if (form) compose();

function compose() {
  const key = `draft-${document.body.dataset.operator}-${form.dataset.kept}`;
  const csrf = document.body.dataset.csrf;
  const refused = form.hasAttribute("data-dirty");  // the server shows it again itself
  const first = snapshot();
  const saved = refused ? null : first;

  forgetSaved();
  restore();
  paint();
  mark();

  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  // What is sent is kept too until a page comes back that has it: the network may fail in between.
  form.addEventListener("submit", () => { keep(); sessionStorage.setItem(`${key}-sent`, "1"); });

  function snapshot() {
    return JSON.stringify([...new FormData(form)].filter(([name]) => !["csrf", "version", "preview"].includes(name)));
  }
  function keep() {
    if (saved !== null && snapshot() === saved) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify({ version: form.elements.version.value, fields: snapshot() }));
  }
  function changed() { keep(); paint(); mark(); }
  function mark() {
    const open = saved === null || snapshot() !== saved;
    const says = $("saved-says");
    says.dataset.was ??= says.textContent;
    says.textContent = open ? "有改动，还没存" : says.dataset.was;
    says.classList.toggle("unsaved", open);
    for (const button of all("[data-needs-saved]")) { button.disabled = open; button.title = open ? "先按“保存”" : ""; }
  }
  // What was typed and not kept comes back after a reload or a new sign-in in this tab; gone with the tab and with signing out.
  function restore() {
    const kept = JSON.parse(sessionStorage.getItem(key) || "null");
    if (!kept || refused) return;
    if (kept.fields === first) return sessionStorage.removeItem(key);
    fill(JSON.parse(kept.fields));
    form.elements.version.value = kept.version;  // whoever saved since is not overwritten unseen
    $("kept").hidden = false;
    $("drop-kept").addEventListener("click", () => {
      fill(JSON.parse(first));
      form.elements.version.value = form.dataset.version;
      $("kept").hidden = true;
      changed();
      htmx.trigger(form, "count-again");
    });
  }
  function forgetSaved() {
    if (refused) return sessionStorage.removeItem(`${key}-sent`);
    const fresh = `draft-${document.body.dataset.operator}-outreach-new`;
    if (key !== fresh && sessionStorage.getItem(`${fresh}-sent`)) for (const name of [fresh, `${fresh}-sent`]) sessionStorage.removeItem(name);
    const kept = JSON.parse(sessionStorage.getItem(key) || "null");
    if (kept && sessionStorage.getItem(`${key}-sent`) && Number(form.dataset.version) > Number(kept.version)) sessionStorage.removeItem(key);
    sessionStorage.removeItem(`${key}-sent`);
  }
  function fill(fields) {
    const many = new Map();
    for (const [name, value] of fields) many.set(name, [...(many.get(name) || []), value]);
    const rows = Math.max(1, (many.get("hours_region") || []).length);
    while (all(".hours-row").length < rows) addHours();
    const used = new Map();
    for (const field of form.elements) {
      if (!field.name || ["csrf", "version"].includes(field.name) || field.type === "hidden") continue;
      const values = many.get(field.name) || [];
      if (field.type === "checkbox") { field.checked = values.includes(field.value); continue; }
      const at = used.get(field.name) || 0;
      used.set(field.name, at + 1);
      if (values[at] !== undefined) field.value = values[at];
    }
  }

  // It stands beside the form, not in it.
  document.addEventListener("change", (event) => { if (event.target.id === "preview-place") htmx.trigger(form, "count-again"); });

  // ---- places ----
  function paint() {
    const names = [];
    for (const box of all(".places details")) {
      const whole = box.querySelector("[data-whole]");
      const below = all(".below input", box);
      for (const one of below) one.disabled = whole.checked;
      box.querySelector(".below").classList.toggle("off", whole.checked);
      const some = below.filter((one) => one.checked && !whole.checked);
      box.classList.toggle("some", whole.checked || some.length > 0);
      names.push(...(whole.checked ? [whole.dataset.name] : some.map((one) => one.dataset.name)));
    }
    $("chosen-places").textContent = names.length ? `选了 ${names.length} 处：${names.join("、")}` : "";
  }
  $("find-place").addEventListener("input", (event) => {
    const wanted = event.target.value.trim();
    for (const box of all(".places details")) {
      let hits = 0;
      for (const label of all(".below .tick", box)) {
        label.hidden = Boolean(wanted) && !label.textContent.includes(wanted) && !box.querySelector("summary").textContent.includes(wanted);
        if (!label.hidden) hits++;
      }
      box.hidden = !hits;
      if (wanted) box.open = hits > 0;
    }
    event.stopPropagation();
  });
  $("find-place").addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });

  // ---- text ----
  for (const button of all("[data-insert]")) button.addEventListener("click", () => {
    const text = $("f-body");
    text.setRangeText(button.dataset.insert, text.selectionStart, text.selectionEnd, "end");
    text.focus();
    text.dispatchEvent(new Event("input", { bubbles: true }));
  });
  $("f-template_id").addEventListener("change", (event) => {
    const body = event.target.selectedOptions[0].dataset.body;
    if (!body || body === $("f-body").value) return;
    const text = $("f-body");
    text.focus();
    text.select();
    // So that it can be undone: what stood there is nobody's to throw away.
    if (!document.execCommand("insertText", false, body)) text.value = body;
    text.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // ---- rows of hours, saved segments ----
  function addHours() {
    const row = all(".hours-row").at(-1).cloneNode(true);
    for (const field of all("select, input", row)) field.value = "";
    const number = all(".hours-row").length + 1;
    row.querySelector("select").id = `hours-region-${number}`;
    row.querySelector("label").htmlFor = `hours-region-${number}`;
    $("other-hours").append(row);
    return row;
  }
  $("add-hours").addEventListener("click", () => addHours().querySelector("select").focus());
  $("f-segment").addEventListener("change", (event) => {
    const option = event.target.selectedOptions[0];
    if (!option.dataset.chosen) return;
    const chosen = JSON.parse(option.dataset.chosen);
    for (const [name, key] of [["rolls", "rolls"], ["regions", "regions"], ["groups", "groups"], ["without", "without"]]) {
      const wanted = (chosen[key] || []).map(String);
      for (const box of all(`input[name=${name}]`, form)) box.checked = wanted.includes(box.value);
    }
    form.elements.consent.checked = Boolean(chosen.only_consented);
    event.target.value = "";
    changed();
    htmx.trigger(form, "count-again");
  });
  addEventListener("htmx:configRequest", (event) => { if (event.target === form) event.detail.headers["X-CSRF"] = csrf; });
  addEventListener("htmx:afterSettle", () => mark());
}

// ---- tables that sort; a reading again brings the server's order: the chosen one stays ----

const sorted = new Map();
document.addEventListener("click", (event) => {
  const button = event.target.closest(".sort-table th button");
  if (!button) return;
  const head = button.closest("th");
  const table = head.closest("table");
  sorted.set(table.id, [head.cellIndex, head.getAttribute("aria-sort") === "descending" ? "ascending" : "descending"]);
  sort(table);
});
addEventListener("htmx:afterSettle", () => all(".sort-table").filter((table) => sorted.has(table.id)).forEach(sort));
function sort(table) {
  const [column, way] = sorted.get(table.id);
  for (const head of all("thead th", table)) head.removeAttribute("aria-sort");
  table.tHead.rows[0].cells[column].setAttribute("aria-sort", way);
  const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => (Number(value(a)) - Number(value(b)) || value(a).localeCompare(value(b), "zh")) * (way === "ascending" ? 1 : -1));
  table.tBodies[0].append(...rows);
}
