// What an operator is writing: its draft, its length and cost, and the one id it is sent under.
// A draft is a child's matter in somebody's browser: it lives in sessionStorage, so that it outlives a reload and a signing in
// again in this tab, and is gone with the tab, once sent, and with the signing out.

import { segments, units, yuan } from "./console.segments.js";

const $ = (id) => document.getElementById(id);
const ready = new WeakSet();
const TYPING_SECONDS = 4;
const { talk, operator, channel } = document.body.dataset;
const key = `draft-${operator}-${talk}`;
const kept = `once-${operator}-${talk}`;
let underway = "";  // what the request that is out carries
let composing = false, later = false;

// A field that was not seen before gets its draft back; quicker than this script: what was typed stands.
export function readyComposer() {
  const reply = $("reply");
  if (!reply || ready.has(reply)) return;
  ready.add(reply);
  reply.value ||= sessionStorage.getItem(key) || "";
  measure();
}

// All are heard at the document: a reread may replace the field at any moment, and Enter in it must send from the first one on.
const heard = (kind, what, id) => document.addEventListener(kind, (event) => { if (event.target.id === id) what(event); });
heard("input", measure, "reply");
heard("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  if (!$("reply").value.trim() || $("send").disabled) return;
  htmx.process($("reply-form"));  // where htmx has not come to it yet
  $("reply-form").requestSubmit();
}, "reply");
heard("compositionstart", () => { composing = true; }, "reply");
heard("compositionend", () => {
  composing = false;
  if (later) takeOutSent();
}, "reply");
heard("htmx:configRequest", (event) => {
  underway = $("reply").value;
  event.detail.parameters.once = once(underway);
}, "reply-form");
heard("htmx:beforeRequest", (event) => {
  if (!$("reply").value.trim()) event.preventDefault();
  else $("send").disabled = true;
}, "reply-form");
heard("htmx:afterRequest", () => { if ($("send")) $("send").disabled = false; }, "reply-form");

// The same words keep their id until the server has said that it has them: pressed again after a lost answer they go out once.
function once(words) {
  const [known, before] = JSON.parse(sessionStorage.getItem(kept) || "[]");
  if (known && before === words) return known;
  const made = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  sessionStorage.setItem(kept, JSON.stringify([made, words]));
  return made;
}

export function measure() {
  const reply = $("reply");
  if (!reply) return;
  saveDraft();
  const text = reply.value.trim();
  const price = $("reply-form").dataset;
  const limits = { single: Number(price.single), part: Number(price.part) };
  const signed = (price.signature || "") + text;
  const parts = segments(signed, limits);
  const count = $("count");
  count.textContent = !text ? "" : channel === "sms" ? `${units(signed)} 字 · ${parts} 条` : `${units(text)} 字`;
  if (text && channel === "sms" && Number(price.fen)) count.textContent += ` · ${yuan(parts, Number(price.fen))} 元`;
  count.title = channel === "sms" ? `含签名 ${price.signature.length} 字；一条 ${limits.single} 字，多条时每条 ${limits.part} 字` : "";
  count.classList.toggle("many", channel === "sms" && parts > 1);
  reply.style.height = "auto";
  reply.style.height = `${Math.min(reply.scrollHeight + 2, 160)}px`;
}

export function saveDraft() {
  const reply = $("reply");
  if (!reply) return;
  if (reply.value.trim()) sessionStorage.setItem(key, reply.value);
  else sessionStorage.removeItem(key);
}

// What went out leaves the field and the draft; what was typed meanwhile stays. A word that an input method is in the middle of
// is finished first: setting the field would break it off.
export function takeOutSent() {
  const reply = $("reply");
  later = Boolean(composing && reply);
  if (later) return;
  const left = without(underway, reply ? reply.value : sessionStorage.getItem(key) || "");
  underway = "";
  sessionStorage.removeItem(kept);
  if (left.trim()) sessionStorage.setItem(key, left);
  else sessionStorage.removeItem(key);
  if (!reply) return;
  if (reply.value !== left) reply.value = left;
  measure();
  if (!document.activeElement?.matches("input, textarea, select")) reply.focus();
}

// The words beside `sent`, wherever they were put; where it was rewritten meanwhile all of it is somebody's new text.
function without(sent, words) {
  const at = sent ? words.indexOf(sent) : -1;
  return at < 0 ? words : `${words.slice(0, at)}${words.slice(at + sent.length)}`.replace(/^\s+/, "");
}

export function forgetDrafts() {
  for (const name of Object.keys(sessionStorage)) if (/^(draft|once)-/.test(name)) sessionStorage.removeItem(name);
}

// Adds `text` to what is being written; false where nothing can be written.
export function put(text) {
  const reply = $("reply");
  if (!reply) return false;
  reply.value = reply.value.trim() ? `${reply.value.trimEnd()}${text}` : text;
  measure();
  reply.focus();
  return true;
}

let typingTimer = 0;
export function showTyping(on) {
  clearTimeout(typingTimer);
  const says = $("typing");
  if (says) says.hidden = !on;
  if (on) typingTimer = setTimeout(() => showTyping(false), TYPING_SECONDS * 1000);
}
