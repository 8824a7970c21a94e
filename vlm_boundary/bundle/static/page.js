// The page: what is shown follows the view, the view follows keys, clicks and the address.
// Keys, clicks, zoom and formulas are those of the demo (app.js), which hands them to `vbSend`.

import { built, button, make } from "./built.js";
import { item, load } from "./data.js";
import { drawFilters, drawList, drawPickers, drawTabs, TABS } from "./frame.js";
import { MOST_HITS, search } from "./search.js";
import { cellOf, GROUPS, hashOf, isKind, listed, nearest, SHOWN, shownOf, tallied, viewOf } from "./view.js";

const by = (id) => document.getElementById(id);
const SIDES = ["left", "right"];
let run, view, here; // `here` is what the lists stand on: problems, both arms, places in order
let drawn, listPage = null, searching = 0;

// ---- What the view stands on

function partition(arm, { benchmark, condition }) {
  const number = run.partitions.findIndex(
    (one) => one.arm === arm && one.benchmark === benchmark && one.condition === condition);
  return number < 0 ? null : `arm-${number}`;
}
async function arm(name) {
  return name === null ? null : tallied(await load(`${name}/tallies`));
}

// The nearest view there is, and what its lists stand on.
async function settled(wanted) {
  const arms = run.arms.map(([name]) => name), there = (value, all, usual) => (all.includes(value) ? value : usual);
  const found = {
    ...wanted,
    left: there(wanted.left, arms, run.first.left), right: there(wanted.right, arms, run.first.right),
    benchmark: there(wanted.benchmark, run.benchmarks, run.first.benchmark),
    condition: there(wanted.condition, run.conditions, run.conditions[0]),
    group: there(wanted.group, GROUPS, "all"), sort: there(wanted.sort, Object.keys(run.sorts), "order"),
    at_least: Math.min(Math.max(wanted.at_least, 1), 1 << 16), tab: there(wanted.tab, Object.keys(TABS), "samples"),
    show_left: there(wanted.show_left, SHOWN, "all"), show_right: there(wanted.show_right, SHOWN, "all"),
  };
  const names = SIDES.map((side) => partition(found[side], found));
  const name = `benchmark-${run.benchmarks.indexOf(found.benchmark)}`;
  const [problems, ...tallies] = await Promise.all([load(`${name}/problems`), ...names.map(arm)]);
  found.slices = wanted.slices.filter((one) => problems.slices.includes(one));
  const places = listed(found, problems, tallies);
  if (!problems.ids.includes(found.problem)) found.problem = places.length ? problems.ids[places[0]] : "";
  return [found, { name, problems, names, tallies, places, place: problems.ids.indexOf(found.problem) }];
}

const heads = (base) => Promise.all(base.names.map((name, number) =>
  name === null || base.place < 0 ? null : item(`${name}/heads`, base.tallies[number].heads, base.place)));

const half = (side, of = view) => ({ show: of[`show_${side}`], answer: of[`${side}_answer`], sample: of[`${side}_sample`] });

// ---- What readers do: one thing after the other, so that of two keys in a row none is lost

let last = Promise.resolve(), waiting = 0;
function act(change) {
  waiting += 1;
  last = last.then(async () => {
    waiting -= 1;
    const wanted = await change(view);
    if (wanted) [view, here] = await settled(wanted);
    if (!waiting && view !== drawn) await draw(drawn); // of many keys only the last is drawn
  }).then(() => { by("vb-trouble").hidden = true; }, trouble);
}
function trouble(error) {
  console.warn(error);
  by("vb-trouble").textContent = `This cannot be shown: ${error.message}`;
  by("vb-trouble").hidden = false;
}

const fromStart = (of, problem) => of.problem === problem ? of :
  { ...of, problem, left_sample: 0, right_sample: 0, left_answer: "", right_answer: "" };
async function firstListed(wanted) {
  const [found, base] = await settled(wanted);
  return !base.places.length || base.places.includes(base.place) ? found :
    fromStart(found, base.problems.ids[base.places[0]]);
}
async function stepped(of, sides, step) {
  const known = await heads(here), after = { ...of };
  for (const side of sides) {
    const head = known[SIDES.indexOf(side)], { show, answer, sample } = half(side, of);
    const indices = head ? shownOf(head, show, answer) : [];
    if (!indices.length) continue;
    const place = nearest(indices, sample) + step;
    after[`${side}_sample`] = indices[Math.min(Math.max(place, 0), indices.length - 1)];
  }
  return after;
}

const ACTIONS = {
  problem_step: (of, value) => {
    const place = here.places.indexOf(here.place) + Number(value);
    if (!here.places.length) return null;
    const inside = Math.min(Math.max(here.places.includes(here.place) ? place : 0, 0), here.places.length - 1);
    return fromStart(of, here.problems.ids[here.places[inside]]);
  },
  problem: fromStart,
  sample_both: (of, value) => stepped(of, SIDES, Number(value)),
  sample_left: (of, value) => stepped(of, ["left"], Number(value)),
  sample_right: (of, value) => stepped(of, ["right"], Number(value)),
  sample: (of, value, side) => ({ ...of, [`${side}_sample`]: Number(value) }),
  group: (of, value) => firstListed(value === "all" && !here.places.length ?
    { ...of, group: value, search: "", slices: [] } : { ...of, group: value }),
  at_least: (of, value) => firstListed({ ...of, at_least: Number(value) }),
  search: (of, value) => firstListed({ ...of, search: value.slice(0, 200) }),
  slice: (of, value) => firstListed({ ...of,
    slices: of.slices.includes(value) ? of.slices.filter((one) => one !== value) : [...of.slices, value] }),
  sort: (of, value) => firstListed({ ...of, sort: value }),
  pick: (of, value, field) => ({ ...of, ...(field === "benchmark" ? { slices: [], problem: "" } : {}), [field]: value }),
  show_left: (of, value) => ({ ...of, show_left: value, left_sample: 0 }),
  show_right: (of, value) => ({ ...of, show_right: value, right_sample: 0 }),
  answer_left: (of, value) => ({ ...of, left_answer: value === of.left_answer ? "" : value, left_sample: 0 }),
  answer_right: (of, value) => ({ ...of, right_answer: value === of.right_answer ? "" : value, right_sample: 0 }),
  hit: (of, value, side) => {
    const [, index, problem] = /^(\d+) ([^]*)$/.exec(value);
    return { ...fromStart(of, problem), show_left: "all", show_right: "all", [`${side}_sample`]: Number(index) };
  },
  text: (of, value) => ({ ...of, text: value.slice(0, 200) }),
  tab: (of, value) => ({ ...of, tab: value }),
  link: () => viewOf(location.hash),
};

window.vbSend = ({ action, value, side }) => {
  if (!run) return;
  if (action === "page") { listPage = Number(value); return void list().catch(trouble); }
  if (action === "stop") { searching += 1; return; }
  if (Object.hasOwn(ACTIONS, action)) act((of) => ACTIONS[action](of, value, side));
};
addEventListener("hashchange", () => { if (view && location.hash !== hashOf(view)) act(ACTIONS.link); });

// What was found beside the list is read anew: an answer's bar does not know on which side it is.
document.addEventListener("click", (event) => {
  const bar = event.target.closest('[data-do="answer_own"]');
  if (bar) window.vbSend({ action: `answer_${bar.closest("[data-side]").dataset.side}`, value: bar.dataset.value });
});

// ---- What is drawn

async function draw(before) {
  drawn = view;
  const hash = hashOf(view);
  if (location.hash !== hash && !(before === undefined && location.hash === "")) {
    if (before && before.problem !== view.problem) history.pushState(null, "", hash);
    else history.replaceState(null, "", hash);
  }
  drawTabs(view);
  if (view.tab === "figures" || view.tab === "runs") await tab(view.tab);
  drawPickers(run, view);
  drawFilters(run, view, here);
  const listing = ({ group, at_least, sort, slices, search: words, left, right, benchmark, condition }) =>
    JSON.stringify([group, at_least, sort, slices, words, left, right, benchmark, condition]);
  if (!before || listing(before) !== listing(view) || before.problem !== view.problem) listPage = null;
  const where = ({ left, right, benchmark, condition }) => JSON.stringify([left, right, benchmark, condition]);
  if (before && where(before) !== where(view)) { searching += 1; by("vb-hits").replaceChildren(); }
  const focused = document.activeElement?.dataset ?? {};
  await Promise.all([list(), problem()]);
  if (focused.do && document.activeElement === document.body) { // what was pressed is there anew
    [...document.querySelectorAll(`[data-do="${focused.do}"]`)].find(
      (one) => one.dataset.value === focused.value && one.dataset.side === focused.side)?.focus({ preventScroll: true });
  }
  searched();
  by("vb-wait").hidden = true;
  by("vb-samples").hidden = false;
}

async function tab(name) {
  const panel = by(`vb-panel-${name}`);
  if (!panel.childNodes.length) panel.append(built(await load(name === "runs" ? "numbers" : "figures")));
}

async function list() {
  const base = here, page = listPage;
  const rows = (place) => item(`${base.name}/rows`, base.problems.rows, place);
  await drawList(by("vb-list"), view, base, page, rows, () => base === here && page === listPage);
}

async function problem() {
  const base = here, of = view;
  if (base.place < 0) {
    for (const id of ["vb-card", "vb-left-pane", "vb-right-pane"]) by(id).replaceChildren();
    by("vb-card").append(make("p", { class: "vb-empty" }, "No problem passes these filters."));
    return;
  }
  const [card, known] = await Promise.all([item(`${base.name}/cards`, base.problems.cards, base.place), heads(base)]);
  const panes = await Promise.all(SIDES.map((side, number) => pane(side, base, of, known[number])));
  if (base !== here) return; // the reader is elsewhere by now
  by("vb-card").replaceChildren(cardOf(card, base, known));
  SIDES.forEach((side, number) => by(`vb-${side}-pane`).replaceChildren(panes[number]));
}

function cardOf([id, pictures, words], base, known) {
  const title = make("h2"), asked = make("div", { class: "vb-asked" }), said = make("div", { class: "vb-words" });
  title.append(built(id));
  const at = base.places.indexOf(base.place);
  const where = at < 0 ? "not in the list" : `${(at + 1).toLocaleString("en")} of ${base.places.length.toLocaleString("en")}`;
  said.append(built(words));
  const told = new Map();
  known.forEach((head, number) => {
    if (!head) return;
    for (const reason of number && base.names[0] === base.names[1] ? [] : head.trouble) {
      said.append(make("p", { class: "vb-warn" }, `could not be sampled: ${view[SIDES[number]]}: `, built(reason)));
    }
    const prompt = built(head.prompt), summary = prompt.querySelector("summary");
    const text = [...prompt.querySelectorAll("details > :not(summary)")].map((one) => one.textContent).join("\n");
    // Arms that were asked alike share one.
    if (told.has(text)) told.get(text).textContent = `the prompt as ${view.left} and ${view.right} saw it`;
    else if (summary) { told.set(text, summary); said.append(prompt); }
  });
  asked.append(built(pictures), said);
  return make("section", { class: "vb-problem" },
    make("header", {}, title, make("span", { class: "vb-quiet" }, `problem ${where}`), make("span", { class: "vb-grow" }),
      button("◀ previous", "problem_step", "-1", { key: "k" }), button("next ▶", "problem_step", "1", { key: "j" }),
      button("copy link", "copy", "", { key: "y" })), asked);
}

async function pane(side, base, of, head) {
  const number = SIDES.indexOf(side), [name, role, model] = run.arms.find(([one]) => one === of[side]);
  const top = make("header", {},
    make("h3", { class: `vb-${side}` }, make("i", { class: "vb-swatch" }), name), make("span", { class: "vb-quiet" }, `${role} · ${model}`));
  const made = make("section", { class: "vb-pane", "data-side": side }, top);
  if (!head || !head.codes.some((code) => isKind(code, "all"))) {
    made.append(make("p", { class: "vb-empty" }, "No samples."));
    return made;
  }
  const rate = make("span", { class: "vb-rate" }), { show, answer, sample } = half(side, of);
  rate.append(built(head.rate));
  top.append(rate);
  const indices = shownOf(head, show, answer), at = nearest(indices, sample);
  made.append(kinds(side, head, show, answer), strip(side, head, indices, indices[at]));
  if (indices.length) {
    const before = head.codes.slice(0, indices[at]).filter((code) => isKind(code, "all")).length;
    const arm = base.tallies[number];
    made.append(...sampleOf(side, await item(`${base.names[number]}/samples`, arm.samples, arm.firsts[base.place] + before), at, indices.length, name));
  } else made.append(make("p", { class: "vb-empty" }, "No sample of this kind."));
  const spread = built(head.spread);
  spread.querySelectorAll('[data-do="answer_own"]').forEach((bar) => bar.setAttribute("aria-pressed", String(bar.dataset.value === answer)));
  made.append(spread);
  return made;
}

function kinds(side, head, show, answer) {
  const made = make("div", { class: "vb-kinds", "data-roving": true });
  for (const name of SHOWN) {
    const count = head.codes.filter((code) => isKind(code, name)).length;
    if (!count && !["all", "correct", "wrong", show].includes(name)) continue;
    made.append(button(make("span", {}, `${name} `, make("b", {}, String(count))), `show_${side}`, name, { on: name === show }));
  }
  if (answer) made.append(button(`answer ${answer === "none" ? "no answer" : answer.slice(1, 31)} ✕`, `answer_${side}`, answer, { on: true }));
  return made;
}

function strip(side, head, indices, current) {
  const made = make("div", { class: "vb-strip", "data-side": side, role: "img", "aria-label": `${indices.length} samples, a cell each`,
    title: "A cell a sample. Green: right; strong where its reasoning was found valid. Ochre: right, with invalid reasoning. " +
      "Red and low: wrong. Outlined: undecided. Grey: not graded yet. Dark foot: ended at the token limit." });
  for (const index of indices) made.append(make("i", { class: cellOf(head.codes[index]) + (index === current ? " on" : ""), "data-s": index }));
  return made;
}

function sampleOf(side, [index, rendered, written, verdict, rest], at, count, name) {
  const keys = side === "left" ? ["q", "w"] : ["o", "p"];
  const text = make("div", { class: "vb-text", "data-testid": `${side}-text`, tabindex: "0", role: "region", "aria-label": `${name}, sample ${index}` });
  const one = make("div", { class: "vb-as-rendered" }), other = make("div", { class: "vb-as-written", hidden: true });
  one.append(built(rendered));
  other.append(built(written || rendered));
  text.append(one, other);
  return [
    make("div", { class: "vb-sample-head" }, button("◀", `sample_${side}`, "-1", { key: keys[0] }),
      make("span", { "data-testid": `${side}-index` }, `sample #${index} `, make("span", { class: "vb-quiet" }, `(${at + 1} of ${count})`)),
      button("▶", `sample_${side}`, "1", { key: keys[1] }), make("span", { class: "vb-grow" }), button("whole text", "whole", "")),
    built(verdict), text, built(rest)];
}

// What is searched for in responses is marked where it is shown, also across other marks.
function searched() {
  CSS.highlights?.delete("vb-searched");
  if (!view.text || !CSS.highlights) return;
  const ranges = [...document.querySelectorAll(".vb-as-rendered, .vb-as-written")].flatMap((root) => found(root, view.text));
  CSS.highlights.set("vb-searched", new Highlight(...ranges));
}
function found(root, wanted) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT), nodes = [], ranges = [];
  let whole = "";
  for (let node; (node = walker.nextNode());) { nodes.push([whole.length, node]); whole += node.data; }
  const at = (place) => nodes.findLast(([start]) => start <= place);
  for (let start = whole.indexOf(wanted); start >= 0 && ranges.length < 200; start = whole.indexOf(wanted, start + wanted.length)) {
    const range = document.createRange(), [from, first] = at(start), [before, last] = at(start + wanted.length - 1);
    range.setStart(first, start - from); range.setEnd(last, start + wanted.length - before);
    ranges.push(range);
  }
  return ranges;
}

// ---- Search in responses

function startSearch(wanted) {
  const mine = ++searching, box = by("vb-hits");
  window.vbSend({ action: "text", value: wanted });
  box.replaceChildren();
  if (!wanted) return;
  const base = here, names = { left: view.left, right: view.right };
  const arms = SIDES.map((side, number) => ({ side, name: base.names[number], texts: base.tallies[number]?.texts ?? [] }))
    .filter(({ name }, number) => name !== null && !(number && name === base.names[0]));
  const said = make("span", { role: "status", "data-testid": "hits" }), stop = button("stop", "stop", "");
  const rows = make("div", { class: "vb-rows vb-hits", "data-roving": "column" });
  box.append(make("p", { class: "vb-count" }, said, stop), rows);
  let shown = 0;
  search(wanted, arms, base.problems, () => mine !== searching, (state) => {
    if (mine !== searching && !state.done) return;
    const many = state.hits.length >= MOST_HITS ? `the first ${MOST_HITS}` : `${state.hits.length}`;
    const moved = `${(state.bytes / 1e6).toFixed(1)} MB`;
    said.textContent = `${many} of ${state.searched.toLocaleString("en")} responses hold it` +
      (state.read < state.files ? ` · ${state.read} of ${state.files} files, ${moved}` : ` · ${moved} read`) + (state.done ? "" : " …");
    stop.hidden = state.done;
    rows.append(...state.hits.slice(shown).map((hit) => hitOf(hit, names[hit.side])));
    shown = state.hits.length;
  }).catch(trouble);
}
function hitOf(hit, arm) {
  return make("button", { class: "vb-hit", "data-do": "hit", "data-side": hit.side, "data-value": `${hit.index} ${hit.problem}` },
    make("b", {}, arm.slice(0, 24)), ` ${hit.problem.slice(0, 40)} #${hit.index}`,
    make("span", { class: "vb-row-question" }, hit.before, make("mark", { class: "vb-found" }, hit.found), hit.after));
}
by("vb-text-search").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && run && !event.isComposing) startSearch(event.target.value.slice(0, 200));
});

// ---- The beginning

const dark = matchMedia("(prefers-color-scheme: dark)");
const shade = () => document.documentElement.classList.toggle("dark", dark.matches);
dark.addEventListener("change", shade);
shade();

async function open() {
  run = await load("run");
  document.title = `${run.name} · vlm_boundary`;
  by("vb-status").replaceChildren(built(run.status));
  if (!run.partitions.length) {
    by("vb-panel-tables").replaceChildren(make("p", { class: "vb-empty" }, "No samples yet, so no tables."));
  } else by("vb-files").append(...run.partitions.map((one, number) => make("li", {},
    make("a", { href: `tables/responses/${number}.parquet`, download: true }, `responses/${number}.parquet`),
    ` ${one.arm} · ${one.benchmark} · ${one.condition}`)));
  if (run.katex) {
    document.head.append(make("link", { rel: "stylesheet", href: "katex/katex.css" }));
    window.vbKatex = new URL("katex/katex.js", document.baseURI).href;
  }
  [view, here] = await settled(viewOf(location.hash));
  by("vb-search").querySelector("input").value = view.search;
  by("vb-text-search").querySelector("input").value = view.text;
  await draw();
}
open().catch(trouble);
