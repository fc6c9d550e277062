// The bell: two short tones made here, so that nothing is fetched when it must ring. A browser allows sound only after a
// click on the page; until then the button says so.

const KEPT = "bell";
let audio = null;
let wanted = localStorage.getItem(KEPT) !== "off";

function say() { dispatchEvent(new CustomEvent("bell-changed", { detail: soundIsOn() })); }

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
    ring(0.5);
  }
  localStorage.setItem(KEPT, wanted ? "on" : "off");
  say();
  return soundIsOn();
}

export function ring(loud = 1) {
  if (!soundIsOn()) return;
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
