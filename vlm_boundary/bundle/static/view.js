// What a reader looks at, and which problems and samples that leaves: as demo/view.py has it.

const USUAL = {
  left: "", right: "", benchmark: "", condition: "full", group: "all", at_least: 1, sort: "order", slices: [],
  search: "", problem: "", left_sample: 0, right_sample: 0, show_left: "all", show_right: "all",
  left_answer: "", right_answer: "", text: "", tab: "samples",
};
const LONGEST = 500; // of a value in a link
export const PAGE = 25;
export const SOLVED = ["both", "left", "right", "neither"];
export const GROUPS = ["all", ...SOLVED, "open", "luck", "disputed", "undecided"];
export const SHOWN = ["all", "correct", "wrong", "ungraded", "valid", "invalid", "truncated", "disputed"];

export function viewOf(hash) {
  const query = new URLSearchParams(hash.replace(/^#/, ""));
  const view = { ...USUAL, slices: query.getAll("slice") };
  for (const [name, usual] of Object.entries(USUAL)) {
    const value = query.get(name);
    if (value === null || name === "slices") continue;
    if (typeof usual === "string") view[name] = value.slice(0, LONGEST);
    else if (/^[0-9]{1,8}$/.test(value)) view[name] = Number(value);
  }
  return view;
}

export function hashOf(view) {
  const query = new URLSearchParams();
  for (const [name, usual] of Object.entries(USUAL)) {
    if (name === "slices") view.slices.forEach((one) => query.append("slice", one));
    else if (view[name] !== usual && String(view[name]).length <= LONGEST) query.set(name, view[name]);
  }
  return `#${query}`;
}

// Tallies of one arm, as the functions below want them.
export function tallied(raw) {
  return { ...raw, luck: new Set(raw.luck), disputed: new Set(raw.disputed), undecided: new Set(raw.undecided) };
}

const solved = (arm, place, times) => arm !== null && arm.right[place] >= times;
// Only once every sample has a verdict.
const unsolved = (arm, place, times) =>
  arm !== null && arm.right[place] < times && arm.drawn[place] > 0 && arm.ungraded[place] === 0;

// Whether a problem is of a group; `arms` are the left one's tallies and the right one's.
export function inGroup(name, [left, right], place, times) {
  switch (name) {
    case "all": return true;
    case "both": return solved(left, place, times) && solved(right, place, times);
    case "left": return solved(left, place, times) && unsolved(right, place, times);
    case "right": return solved(right, place, times) && unsolved(left, place, times);
    case "neither": return unsolved(left, place, times) && unsolved(right, place, times);
    case "open": return [left, right].some((arm) => !solved(arm, place, times) && !unsolved(arm, place, times));
    default: return [left, right].some((arm) => arm !== null && arm[name].has(place));
  }
}

const rate = (arm, place) => (arm && arm.graded[place] ? arm.right[place] / arm.graded[place] : NaN);
function mean(arms, name, place) {
  const known = arms.filter((arm) => arm !== null).map((arm) => arm[name][place] ?? NaN);
  return known.reduce((sum, one) => sum + one, 0) / known.length;
}
const ORDERS = {
  gap: (arms, place) => -Math.abs(rate(arms[0], place) - rate(arms[1], place)),
  left: (arms, place) => -rate(arms[0], place),
  right: (arms, place) => -rate(arms[1], place),
  hardest: (arms, place) => rate(arms[0], place) + rate(arms[1], place),
  length: (arms, place) => -mean(arms, "tokens", place),
  unlikely: (arms, place) => mean(arms, "logprob", place),
  disagreement: (arms, place) => -mean(arms, "disagreement", place),
};

// The places of the problems that pass the view's filters, in its order; unknown comes last.
export function listed(view, problems, arms) {
  const byKey = new Map();
  for (const one of view.slices) {
    const key = one.split(": ")[0];
    byKey.set(key, [...(byKey.get(key) ?? []), one]);
  }
  const wanted = [...byKey.values()];
  const words = view.search.toLowerCase().split(/\s+/).filter(Boolean);
  const passes = (place) => {
    const there = problems.has[place].map((number) => problems.slices[number]);
    if (!wanted.every((values) => values.some((one) => there.includes(one)))) return false;
    const said = `${problems.ids[place]}\n${problems.questions[place]}\n${problems.answers[place]}`.toLowerCase();
    return words.every((word) => said.includes(word));
  };
  const found = [...problems.ids.keys()].filter(
    (place) => inGroup(view.group, arms, place, view.at_least) && passes(place));
  const order = ORDERS[view.sort];
  if (!order) return found;
  const keys = new Map(found.map((place) => [place, order(arms, place)]));
  const nan = (value) => Number(Number.isNaN(value));
  return found.sort((a, b) => nan(keys.get(a)) - nan(keys.get(b)) || keys.get(a) - keys.get(b) || a - b);
}

// A sample's byte, as demo/codes.py has it.
const DRAWN = 1, GRADED = 2, CORRECT = 4, UNDECIDED = 8, TRUNCATED = 16, VETOED = 32, ENDORSED = 64, DISPUTED = 128;
export function isKind(code, name) {
  switch (name) {
    case "all": return Boolean(code & DRAWN);
    case "correct": return Boolean(code & CORRECT);
    case "wrong": return Boolean(code & GRADED) && !(code & CORRECT);
    case "ungraded": return Boolean(code & DRAWN) && !(code & GRADED);
    case "valid": return Boolean(code & CORRECT && code & ENDORSED) && !(code & VETOED);
    case "invalid": return Boolean(code & CORRECT && code & VETOED);
    case "truncated": return Boolean(code & TRUNCATED);
    default: return Boolean(code & DISPUTED);
  }
}
export function cellOf(code) {
  const cut = code & TRUNCATED ? " t" : "";
  if (isKind(code, "invalid")) return `l${cut}`;
  if (isKind(code, "valid")) return `v${cut}`;
  if (code & CORRECT) return `c${cut}`;
  if (code & UNDECIDED) return `u${cut}`;
  return (code & GRADED ? "w" : "n") + cut;
}

// The indices of the samples of one problem that a side shows.
export function shownOf(head, kind, answer) {
  const all = [...head.codes.keys()].filter((index) => isKind(head.codes[index], kind));
  if (!answer) return all;
  const those = new Set(head.answers[answer] ?? []);
  return all.filter((index) => those.has(index));
}
// The place among these of the one asked for, or of the next there is.
export function nearest(indices, wanted) {
  const place = indices.findIndex((index) => index >= wanted);
  return place < 0 ? indices.length - 1 : place;
}
