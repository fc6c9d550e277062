// How long a text is on a phone and what it costs: the numbers of messages/segments.py, tested to be the same.

// UCS-2 units: JavaScript counts as phones do, so that an emoji is two.
export function units(text) { return text.length; }

// `limits`: { single, part }, units of a text alone and of each part of a joined one. A part never ends inside an emoji.
export function segments(text, limits) {
  if (units(text) <= limits.single) return 1;
  let count = 1, free = limits.part;
  for (const sign of text) {
    if (units(sign) > free) { count++; free = limits.part; }
    free -= units(sign);
  }
  return count;
}

// `fen` of that many segments as yuan: 0.05, 0.105.
export function yuan(count, fen) { return String(Number((count * fen / 100).toFixed(4))); }
