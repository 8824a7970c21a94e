// Search in what models wrote: file by file, hits as they are found, until all is read or enough.

import { once } from "./data.js";

export const MOST_HITS = 200;
const AROUND = 40;

// Tells `told` of hits, responses searched, files read of how many, and bytes moved.
export async function search(wanted, arms, problems, stopped, told) {
  const files = arms.flatMap(({ side, name, texts }) => texts.map((_, number) => [side, `${name}/texts-${number}`]));
  const state = { hits: [], searched: 0, read: 0, files: files.length, bytes: 0, done: false };
  let next = files.length ? once(files[0][1]) : null;
  for (const [number, [side]] of files.entries()) {
    const [rows, bytes] = await next;
    if (stopped()) break;
    next = number + 1 < files.length ? once(files[number + 1][1]) : null; // comes while this one is searched
    next?.catch(() => {}); // said when it is waited for
    for (const [place, index, text] of rows) {
      const start = text.indexOf(wanted);
      if (start < 0 || state.hits.length >= MOST_HITS) continue;
      const end = start + wanted.length;
      state.hits.push({
        side, index, problem: problems.ids[place],
        before: text.slice(Math.max(0, start - AROUND), start), found: text.slice(start, end), after: text.slice(end, end + AROUND),
      });
    }
    state.searched += rows.length; state.bytes += bytes; state.read += 1;
    state.done = state.read === files.length || state.hits.length >= MOST_HITS;
    told(state);
    if (state.done) break;
  }
  if (!state.done) told({ ...state, done: true });
}
