// A turn at something that one of this browser's open pages has at a time: `begin` is called when this page has it, `end` when it
// has it no more. A page that closes leaves its turn to the next by itself. Asked of a browser without locks, `begin` is called on
// every page.

export function turn(name, begin, end) {
  let asked = null, letGo = null, has = false;

  // In the queue for it; `now`: at once, whoever has it.
  function want(now = false) {
    if (has) return;
    if (!navigator.locks) return have(() => {});
    asked?.abort();
    const mine = asked = new AbortController();
    const holding = () => new Promise((resolve) => (mine === asked ? have(resolve) : resolve()));
    navigator.locks.request(name, now ? { steal: true } : { signal: mine.signal }, holding).catch((error) => {
      if (mine !== asked) return;  // asked anew, or given up
      if (error.name !== "AbortError") return have(() => {});
      lose();
      want();  // another page took it
    });
  }

  function have(leave) {
    has = true;
    letGo = leave;
    begin();
  }

  function lose() {
    if (has) end();
    has = false;
  }

  function giveUp() {
    asked?.abort();
    asked = null;
    letGo?.();
    lose();
  }

  return { want, giveUp, has: () => has };
}
