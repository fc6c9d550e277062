// A roll's file goes up in pieces, one after the other: neither this page nor the server ever holds it whole.
// A piece that fails is sent again; the server puts it in the same place.

const $ = (id) => document.getElementById(id);
const csrf = document.body.dataset.csrf;
const TRIES = 5;
const form = $("upload-form");
let running = null;

setInterval(() => { if (document.querySelector("#rolls [data-open]") && !document.querySelector("dialog[open]")) htmx.trigger("#rolls", "reread-rolls"); }, 2000);

if (form) {
  const file = $("roll-file");
  const drop = $("drop");
  for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.remove("over"); });
  drop.addEventListener("drop", (event) => { if (event.dataTransfer.files.length) { file.files = event.dataTransfer.files; named(); } });
  file.addEventListener("change", named);
  form.addEventListener("submit", (event) => { event.preventDefault(); if (!running) upload(); });
  $("upload-stop").addEventListener("click", () => running?.abort());
  addEventListener("beforeunload", (event) => { if (running) event.preventDefault(); });
}

function named() {
  say("");
  const chosen = $("roll-file").files[0];
  if (chosen && !$("roll-title").value.trim()) $("roll-title").value = chosen.name.replace(/\.[^.]+$/, "").slice(0, 80);
}

function say(sentence) {
  $("upload-says").textContent = sentence;
  $("upload-says").hidden = !sentence;
}

function show(done, size) {
  const megabytes = (bytes) => (bytes / 1048576).toFixed(bytes < 10485760 ? 1 : 0);
  $("upload-line").hidden = false;
  $("upload-line").querySelector("progress").value = size ? done / size : 0;
  $("upload-done").textContent = `${Math.floor((100 * done) / (size || 1))}%（${megabytes(done)} / ${megabytes(size)} MB）`;
}

async function upload() {
  const file = $("roll-file").files[0];
  if (!file) return say("先选一个文件。");
  if (!file.size) return say("这个文件是空的。");
  if (file.size > Number(form.dataset.most)) return say("文件超过 4 GB，请分成几份。");
  running = new AbortController();
  const button = $("upload-go");
  button.disabled = true;
  say("");
  let roll = 0;
  try {
    const made = await (await post("/outreach/rolls", new URLSearchParams({ title: $("roll-title").value, size: file.size }))).json();
    roll = made.id;
    const count = Math.ceil(file.size / made.piece);
    show(0, file.size);
    for (let part = 0; part < count; part++) {
      const piece = file.slice(part * made.piece, (part + 1) * made.piece);
      await post(`/outreach/rolls/${roll}/parts?part=${part}`, piece, { "Content-Type": "application/octet-stream" });
      show(Math.min(file.size, (part + 1) * made.piece), file.size);
    }
    await post(`/outreach/rolls/${roll}/start`, new URLSearchParams());
    form.reset();
    $("upload-line").hidden = true;
  } catch (error) {
    const stopped = running.signal.aborted;
    running = new AbortController();
    if (roll) await post(`/outreach/rolls/${roll}/remove`, new URLSearchParams()).catch(() => {});
    $("upload-line").hidden = true;
    say(stopped ? "没有传，已经传的部分删掉了。" : error.sentence || "没有传上去，请看网络，再试一次。");
  }
  running = null;
  button.disabled = false;
  htmx.trigger("#rolls", "reread-rolls");
}

// Tried again where the network or the server failed; what the server refuses is refused.
async function post(path, body, headers = {}) {
  for (let turn = 1; ; turn++) {
    let answer = null;
    try {
      answer = await fetch(path, { method: "POST", body, headers: { "X-CSRF": csrf, "HX-Request": "true", ...headers }, signal: running.signal });
    } catch (error) {
      if (running.signal.aborted || turn >= TRIES) throw error;
    }
    if (answer?.ok) return answer;
    if (answer && (answer.status < 500 || turn >= TRIES)) {
      const told = await answer.json().catch(() => ({}));
      throw Object.assign(new Error("refused"), { sentence: told.error });
    }
    await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** turn));
  }
}
