// Words that are not sent yet outlive the end of a session: what is typed into any form is kept in this tab and stands there
// again after signing in, for the same operator on the same page. The reply of a talk keeps itself (console.composer.js).
// Gone once it was sent, with the signing out, and with the tab. Never passwords, files, or what a page keeps hidden.

const operator = document.body.dataset.operator;
const page = `draft-${operator}-at-${location.pathname}`;
const KEPT = "textarea, select, input:not([type]), input:is([type=text], [type=search], [type=tel], [type=number], [type=date], [type=time], [type=radio], [type=checkbox])";
const sent = `draft-${operator}-sent`;

const keyOf = (field) => `${page}|${field.form.getAttribute("action") || field.form.getAttribute("hx-post") || ""}|${field.name}|${["radio", "checkbox"].includes(field.type) ? field.value : ""}`;
const changes = (form) => form.hasAttribute("hx-post") || form.getAttribute("method") === "post";
const isKept = (field) => field.form && changes(field.form) && field.name && field.matches(KEPT) && field.id !== "reply";
const valueOf = (field) => (["radio", "checkbox"].includes(field.type) ? (field.checked ? "1" : "") : field.value);

function keep(event) {
  const field = event.target;
  if (!(field instanceof Element) || !isKept(field)) return;
  if (field.type === "radio") for (const other of field.form.elements) if (other.name === field.name && other.type === "radio") sessionStorage.removeItem(keyOf(other));
  if (valueOf(field).trim()) sessionStorage.setItem(keyOf(field), valueOf(field));
  else sessionStorage.removeItem(keyOf(field));
}
document.addEventListener("input", keep);
document.addEventListener("change", keep);

function forget(form) {
  for (const field of form.elements) if (isKept(field)) sessionStorage.removeItem(keyOf(field));
}

// A form that htmx sent says itself whether it arrived: by its status, since htmx calls an answer that leads on neither good nor bad.
addEventListener("htmx:afterRequest", (event) => {
  const { elt, xhr, requestConfig } = event.detail;
  const arrived = xhr.status >= 200 && xhr.status < 300;
  if (arrived && elt.tagName === "FORM" && requestConfig.triggeringEvent?.type === "submit") forget(elt);
});
// A plain one is believed to have arrived when the next page is not the sign-in page (signed-in.js leaves a mark there).
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.hasAttribute("hx-post")) return;
  sessionStorage.setItem(sent, JSON.stringify([...event.target.elements].filter(isKept).map(keyOf)));
});
if (!sessionStorage.getItem("asked-to-sign-in")) for (const key of JSON.parse(sessionStorage.getItem(sent) || "[]")) sessionStorage.removeItem(key);
sessionStorage.removeItem(sent);
sessionStorage.removeItem("asked-to-sign-in");

// Only a field that stands as the page was made gets its words back.
let found = false;
function giveBack(within) {
  for (const field of within.querySelectorAll(KEPT)) {
    if (!isKept(field)) continue;
    const words = sessionStorage.getItem(keyOf(field));
    if (words === null || valueOf(field) === words) continue;
    if (["radio", "checkbox"].includes(field.type)) field.checked = true;
    else if (field.tagName === "SELECT" || field.value === field.defaultValue) field.value = words;
    found = true;
  }
}
giveBack(document);
if (found) dispatchEvent(new CustomEvent("drafts-are-back"));
