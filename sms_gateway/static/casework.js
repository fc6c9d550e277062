// Tickets: what went wrong is said in the form it went wrong in, files are weighed before they travel, rows are ticked together.

const MEGABYTE = 1024 * 1024;

function say(form, sentence, reload) {
  const box = form.querySelector(".form-says");
  if (!box) return;
  box.replaceChildren(document.createTextNode(sentence));
  if (reload) {
    const link = document.createElement("a");
    link.href = location.href;
    link.textContent = "刷新，看最新的";
    box.append(" ", link);
  }
  box.hidden = !sentence;
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.target;
  if (!form.matches?.(".act-form")) return;
  const trouble = weigh(form);
  say(form, trouble);
  if (trouble) { event.preventDefault(); return; }
  for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = true;
});

document.addEventListener("htmx:afterRequest", (event) => {
  const { status } = event.detail.xhr;
  if (!event.target.matches?.(".act-form") || (status >= 200 && status < 300)) return; // one that leads on stays shut till the next page
  for (const button of event.target.querySelectorAll("button[type=submit]")) button.disabled = false;
});

document.addEventListener("htmx:responseError", (event) => {
  if (!event.target.matches?.(".act-form")) return;
  let sentence = "没有成功，请再试一次。";
  try { sentence = JSON.parse(event.detail.xhr.responseText).error || sentence; } catch { /* not ours */ }
  say(event.target, sentence, event.detail.xhr.status === 409);
});

for (const kind of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(kind, (event) => {
    if (event.target.matches?.(".act-form")) say(event.target, "网络断了，没有送到。你写的还在，请再按一次。");
  });
}

// ---- files ----

function weigh(form) {
  const input = form.querySelector("input[type=file]");
  if (!input) return "";
  const sizes = [...input.files].map((file) => file.size);
  if (sizes.length > Number(input.dataset.maxFiles)) return `一次最多 ${input.dataset.maxFiles} 个附件。`;
  const heavy = sizes.some((size) => size > Number(input.dataset.max));
  const together = sizes.reduce((sum, size) => sum + size, 0) > Number(input.dataset.maxTogether);
  const mega = (bytes) => Number(bytes) / MEGABYTE;
  return heavy || together ? `文件太大：每个不超过 ${mega(input.dataset.max)} MB，一次一共不超过 ${mega(input.dataset.maxTogether)} MB。` : "";
}

document.addEventListener("change", (event) => {
  if (event.target.matches("input[type=file]")) say(event.target.form, weigh(event.target.form));
});

// ---- several rows ----

const picks = () => [...document.querySelectorAll("#bulk input[name=pick]")];

function count() {
  const chosen = picks().filter((box) => box.checked).length;
  const says = document.getElementById("picked");
  if (says) says.textContent = chosen ? `勾了 ${chosen} 单` : "勾选几单，一起办";
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-all]")) for (const box of picks()) box.checked = event.target.checked;
  if (event.target.matches("[data-all], input[name=pick]")) count();
});
count();

document.getElementById("bulk")?.addEventListener("submit", (event) => {
  const says = document.getElementById("picked");
  const words = document.getElementById("bulk-words");
  const chosen = picks().some((box) => box.checked);
  if (chosen && !(event.submitter?.value === "reply" && !words?.value.trim())) return;
  event.preventDefault();
  says.textContent = chosen ? "先写答复的话" : "先勾选要办的单";
  says.classList.add("warn");
  if (chosen) words.focus();
});

// ---- the ticket's page ----

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-choose]");
  if (!button) return;
  const select = document.getElementById(button.dataset.choose);
  select.value = button.dataset.value;
  select.focus();
});

// What was picked among the suggested units and what was picked from the list exclude each other.
document.addEventListener("change", (event) => {
  const form = event.target.closest("#dispatch-sheet form");
  if (!form) return;
  const radios = form.querySelectorAll("input[name=unit]");
  if (event.target.name === "other" && event.target.value) for (const radio of radios) radio.checked = false;
  if (event.target.name === "other" && !event.target.value && radios.length) radios[0].checked = true;
  if (event.target.name === "unit") form.elements.other.value = "";
});

addEventListener("tickets-changed", (event) => {
  const stale = document.getElementById("stale");
  if (stale && event.detail.includes(document.body.dataset.ticket)) stale.hidden = false;
});
