// The bell: two short tones made here, so that nothing is fetched when it must ring. A browser allows sound only after a
// click on the page; until then the button says so. Of several open pages one rings: the one looked at last whose sound is on.

import { turn } from "./console.turn.js";

const KEPT = "bell";
let audio = null;
let wanted = localStorage.getItem(KEPT) !== "off";

const bell = turn("hotline-bell", () => {}, () => {});

// A page that is looked at takes the bell from one that is not: that one may be put to sleep.
function takeTurns() {
  if (soundIsOn()) bell.want(!document.hidden);
  else bell.giveUp();
}
document.addEventListener("visibilitychange", () => { if (!document.hidden) takeTurns(); });
addEventListener("focus", takeTurns);
addEventListener("storage", (event) => { if (event.key === KEPT) { wanted = event.newValue !== "off"; say(); } });  // switched on another page

function say() {
  takeTurns();
  dispatchEvent(new CustomEvent("bell-changed", { detail: soundIsOn() }));
}

export function soundIsOn() { return wanted && audio?.state === "running"; }

async function wake() {
  audio ??= new AudioContext();
  if (audio.state !== "running") await audio.resume();
  audio.onstatechange = say;
  say();
}

export async function switchSound() {
  if (soundIsOn()) {
    wanted = false;
    await audio.suspend();
  } else {
    wanted = true;
    await wake();
    play(0.5);
  }
  localStorage.setItem(KEPT, wanted ? "on" : "off");
  say();
  return soundIsOn();
}

export function ring() {
  if (soundIsOn() && bell.has()) play(1);
}

function play(loud) {
  const start = audio.currentTime + 0.01;
  for (const [at, pitch] of [[0, 880], [0.18, 1175], [0.42, 880], [0.6, 1175]]) tone(start + at, pitch, loud);
}

function tone(at, pitch, loud) {
  const sound = audio.createOscillator(), volume = audio.createGain();
  sound.type = "triangle";
  sound.frequency.value = pitch;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.35 * loud, at + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.001, at + 0.16);
  sound.connect(volume).connect(audio.destination);
  sound.start(at);
  sound.stop(at + 0.17);
}

// After a click on an earlier page of ours the browser may let this one sound at once.
if (wanted) wake();

// Whoever wanted it on before gets it back with the first click or key on the page.
for (const kind of ["pointerdown", "keydown"]) {
  addEventListener(kind, (event) => { if (wanted && !event.target.closest?.("#sound")) wake(); }, { once: true, capture: true });
}
