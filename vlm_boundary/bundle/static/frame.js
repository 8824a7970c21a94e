// What stands around the samples: tabs, pickers, filters, and the list of problems.

import { built, button, make } from "./built.js";
import { GROUPS, inGroup, PAGE, SOLVED } from "./view.js";

const by = (id) => document.getElementById(id);
export const TABS = { samples: "Samples", figures: "Figures", runs: "Runs", tables: "Tables" };
const LABELS = { all: "all problems", both: "both", neither: "neither", open: "open", luck: "by luck only", disputed: "disputed", undecided: "undecided" };
const NOTES = {
  both: "solved by each of the two",
  neither: "every sample of both is graded, and too few are right",
  open: "no samples, or not all graded yet: a right one may still come",
  luck: "right answers of one arm, every one checked, and none with valid reasoning",
  disputed: "an official rule or math-verify judges a sample otherwise than the verifier",
  undecided: "the verifier could not tell of some sample",
};

export function drawTabs(view) {
  const bar = document.querySelector('[role="tablist"]');
  bar.replaceChildren(...Object.entries(TABS).map(([name, label]) => make("button", {
    role: "tab", "data-do": "tab", "data-value": name, "aria-selected": String(name === view.tab), "aria-controls": `vb-panel-${name}`,
  }, label)));
  for (const name of Object.keys(TABS)) by(`vb-panel-${name}`).hidden = name !== view.tab;
}

// A select that says what was picked as an action.
function picker(label, options, value, action, side = "") {
  const select = make("select", {}, ...options.map(([key, name]) => make("option", { value: key }, name)));
  select.value = value;
  select.addEventListener("change", () => window.vbSend({ action, value: select.value, side }));
  return make("label", {}, `${label} `, select);
}

export function drawPickers(run, view) {
  const same = (all) => all.map((one) => [one, one]), arms = same(run.arms.map(([name]) => name));
  by("vb-pickers").replaceChildren(
    picker("Left model", arms, view.left, "pick", "left"), picker("Right model", arms, view.right, "pick", "right"),
    ...(run.benchmarks.length > 1 ? [picker("Benchmark", same(run.benchmarks), view.benchmark, "pick", "benchmark")] : []),
    ...(run.conditions.length > 1 ? [picker("Condition", same(run.conditions), view.condition, "pick", "condition")] : []));
}

export function drawFilters(run, view, { problems }) {
  const free = problems.slices.filter((one) => !view.slices.includes(one));
  by("vb-filters").replaceChildren(
    ...(free.length ? [picker("Filter", [["", "add …"], ...free.map((one) => [one, one])], "", "slice")] : []),
    picker("Sort", Object.entries(run.sorts), view.sort, "sort"),
    ...view.slices.map((one) => button(`${one} ✕`, "slice", one, { on: true })));
}

// ---- The list

function groups(view, { problems, tallies }) {
  const made = {}, places = [...problems.ids.keys()];
  for (const name of GROUPS) {
    const count = places.filter((place) => inGroup(name, tallies, place, view.at_least)).length;
    const label = LABELS[name] ?? `only ${view[name].slice(0, 24)}`;
    if (name === "open" && !count && view.group !== name) continue;
    made[name] = make("button", { class: "vb-group", "data-do": "group", "data-value": name, "aria-pressed": view.group === name ? "true" : null, title: NOTES[name] ?? null },
      make("span", {}, label), make("b", {}, count.toLocaleString("en")));
  }
  const solving = [...SOLVED, "open"], times = view.at_least === 1 ? "once" : `${view.at_least} times`;
  const of = (names) => make("div", { class: "vb-groups", "data-roving": true }, ...names.flatMap((name) => made[name] ?? []));
  return make("div", { "data-testid": "groups" }, of(GROUPS.filter((name) => !solving.includes(name))),
    make("p", { class: "vb-quiet vb-solved" }, make("span", { "data-testid": "at-least" }, `solved at least ${times} by`), make("span", { class: "vb-grow" }),
      button("−", "at_least", view.at_least - 1), button("+", "at_least", view.at_least + 1)),
    of(solving));
}

function rateOf(arm, place, side) {
  const right = arm?.right[place] ?? 0, graded = arm?.graded[place] ?? 0, waiting = arm?.ungraded[place] ?? 0;
  if (!graded) {
    return make("span", { class: `vb-r vb-${side}`, title: waiting ? `${waiting} samples, not graded yet` : "no samples" }, waiting ? "…" : "–");
  }
  const share = `${Math.round(100 * right / graded)}%`, bar = make("i");
  bar.style.width = share;
  return make("span", { class: `vb-r vb-${side}`, title: `${right} of ${graded} right${waiting ? `, ${waiting} not graded yet` : ""}` },
    bar, make("b", {}, waiting ? `(${share})` : share));
}

function rowOf(view, { problems, tallies }, place, [picture, id, question]) {
  const name = make("span", { class: "vb-row-id" }), asked = make("span", { class: "vb-row-question" });
  name.append(built(id));
  asked.append(built(question));
  const image = picture ? make("img", { src: picture, alt: "" }) : make("i", { class: "vb-no-picture" });
  return make("button", { class: "vb-row", "data-do": "problem", "data-value": problems.ids[place], "aria-current": problems.ids[place] === view.problem ? "true" : null },
    image, make("span", { class: "vb-row-words" }, name, asked),
    make("span", { class: "vb-rates" }, rateOf(tallies[0], place, "left"), rateOf(tallies[1], place, "right")));
}

// Draw groups and a page of problems; `rows` fetches one, `current` says whether it is still wanted.
export async function drawList(box, view, base, page, rows, current) {
  const { places, problems } = base, pages = Math.max(1, Math.ceil(places.length / PAGE)), at = places.indexOf(base.place);
  const wanted = Math.min(Math.max(page ?? Math.floor(Math.max(at, 0) / PAGE), 0), pages - 1);
  const listed = places.slice(wanted * PAGE, (wanted + 1) * PAGE);
  const made = await Promise.all(listed.map(async (place) => rowOf(view, base, place, await rows(place))));
  if (!current()) return;
  const legend = ["left", "right"].map((side) =>
    make("span", { class: `vb-legend vb-${side}` }, make("i", { class: "vb-swatch" }), view[side].slice(0, 16)));
  const count = `${places.length.toLocaleString("en")} of ${problems.ids.length.toLocaleString("en")} problems`;
  const none = make("p", { class: "vb-empty" }, "No problem passes these filters. ", button("all problems", "group", "all"));
  const scrolled = box.dataset.page === String(wanted) ? box.querySelector(".vb-rows")?.scrollTop ?? 0 : 0;
  const list = make("div", { class: "vb-rows", "data-roving": "column" }, ...(made.length ? made : [none]));
  box.replaceChildren(groups(view, base),
    make("p", { class: "vb-count" }, make("span", { "data-testid": "count" }, count), make("span", { class: "vb-grow" }), ...legend), list);
  if (pages > 1) {
    box.append(make("p", { class: "vb-pages" }, button("◀", "page", wanted - 1), ` page ${wanted + 1} of ${pages} `, button("▶", "page", wanted + 1)));
  }
  box.dataset.page = wanted;
  list.scrollTop = scrolled;
}
