// One event stream for all open pages of this browser. Over HTTP/1.1 a browser opens six connections a host: with a stream a page,
// six pages would leave none for replies and heartbeats, and danger in hand would be given back. One page has the stream and tells
// the others; when it closes the next one has it. A browser without locks or channels has a stream on every page.

import { turn } from "./console.turn.js";

const KINDS = ["changed", "typing", "away", "over", "quiet"];
const GOOD = new Set(["open", "changed", "typing", "quiet"]);
const SILENT = 25000;  // the server says something every ten seconds
const ANSWER = 3000;
const MISSED = ["*"];  // read everything again (listening.py)
const NAME = `hotline-stream-${document.body.dataset.operator}`;

const air = navigator.locks && window.BroadcastChannel ? new BroadcastChannel(NAME) : null;
const me = `${Date.now()}-${Math.random()}`;
let hear = () => {};
let source = null;
const stream = turn(NAME, open, shut);
let up = null, lastGood = Date.now(), lastWord = 0;
let latest = null, latestAt = 0;

// Calls `listener(kind, data)` for whatever the stream or another page says: the server's events, `open` and `lost`, and what
// pages tell each other.
export function follow(listener) {
  hear = listener;
  if (!air) return open();
  air.addEventListener("message", heard);
  addEventListener("pagehide", stream.giveUp);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
  stream.want();
  ask();
}

export const isUp = () => up === true;

// To the other pages only.
export function tellOthers(kind, data) { air?.postMessage({ kind, data }); }

// The server answers, yet the stream has been silent: it died without saying so, or the page that has it sleeps.
export function revive() {
  if (Date.now() - lastGood < SILENT) return;
  lastGood = Date.now();
  if (source || !air) open();
  else stream.want(true);
}

function note(kind, data) {
  lastWord = Date.now();
  if (GOOD.has(kind)) { lastGood = lastWord; up = true; }
  if (kind === "lost" || kind === "away") up = false;
  hear(kind, data);
}

function tell(kind, data) {
  if (kind === "changed") { latest = data; latestAt = Date.now(); }
  tellOthers(kind, data);
  note(kind, data);
}

function open() {
  source?.close();
  latest = null;
  const mine = source = new EventSource("/live/stream");
  mine.addEventListener("open", () => tell("open"));
  for (const kind of KINDS) mine.addEventListener(kind, (event) => tell(kind, JSON.parse(event.data)));
  mine.addEventListener("error", () => {
    if (mine !== source) return;
    tell("lost");
    if (mine.readyState === EventSource.CLOSED) setTimeout(() => { if (mine === source) open(); }, 2000);
  });
}

function shut() {
  source?.close();
  source = null;
}

// A page that came, or is looked at again, says so; no answer: the page that has the stream sleeps.
function ask() {
  if (source) return;
  const since = Date.now();
  air.postMessage({ hello: me });
  setTimeout(() => { if (!source && lastWord < since) stream.want(true); }, ANSWER);
}

function heard({ data: said }) {
  if (said.hello) answer(said.hello);
  else if (!said.to || said.to === me) note(said.kind, said.data);
}

// What a page missed that was not there yet: everything.
function answer(to) {
  if (!source) return;
  if (!up || !latest) return air.postMessage({ to, kind: up === false ? "lost" : "soon" });
  const data = { ...latest, now: latest.now + Date.now() - latestAt, threads: MISSED, escalations: MISSED, tickets: MISSED, broadcasts: MISSED };
  air.postMessage({ to, kind: "changed", data });
}
