// What the pages show: files of packed JSON under data/, fetched when they are wanted.

const MOST = 80; // files kept in memory
const kept = new Map();

async function fetched(name) {
  const response = await fetch(`data/${name}.jsonz`);
  if (!response.ok) throw new Error(`data/${name}.jsonz: the server says ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  // Some server may have unpacked it on the way.
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return [JSON.parse(new TextDecoder().decode(bytes)), bytes.length];
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return [await new Response(stream).json(), bytes.length];
}

// A file's content, kept for the next time.
export function load(name) {
  if (!kept.has(name)) {
    const promise = fetched(name).then(([content]) => content);
    promise.catch(() => kept.delete(name)); // the next try asks again
    kept.set(name, promise);
    while (kept.size > MOST) kept.delete(kept.keys().next().value);
  }
  const found = kept.get(name);
  kept.delete(name);
  kept.set(name, found); // the last used is the last to go
  return found;
}

// A file's content and how many bytes moved, not kept.
export const once = fetched;

// One item of a list that is written as several files; `starts` has the first item of each.
export async function item(name, starts, number) {
  let low = 0, high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle] <= number) low = middle;
    else high = middle - 1;
  }
  return (await load(`${name}-${low}`))[number - starts[low]];
}
