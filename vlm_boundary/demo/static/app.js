// Keys, clicks, links, zoom and formulas. Nothing here builds HTML from a run's content.
(() => {
  if (window.vbStarted) return;
  window.vbStarted = true;
  const send = (action, value, side) => window.vbSend && window.vbSend({ action, value: String(value ?? ""), side: side || "" });
  const typing = (e) => e.isComposing || e.ctrlKey || e.metaKey || e.altKey ||
    /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName) || e.target.isContentEditable;
  const shown = (element) => element && element.offsetParent !== null;
  const labelling = () => shown(document.getElementById("vb-queue"));

  const KEYS = [
    ["j", "next problem"], ["k", "previous problem"], ["→  ←", "next, previous sample of both models"],
    ["w  q", "next, previous sample on the left"], ["p  o", "next, previous sample on the right"],
    ["r", "text rendered or as written"], ["f", "the left sample's whole text, with a search of its own"], ["z", "enlarge the picture (wheel zooms, drag moves, Esc closes)"],
    ["y", "copy a link to this view"], ["/", "search"],
    ["1  2  3", "in the label queue: valid, invalid, unsure, and on to the next"], ["u", "in the label queue: undo"],
    ["s", "in the label queue: skip"], ["n", "in the label queue: note (Esc leaves it)"], ["?", "this list"]];

  function toast(text) {
    document.getElementById("vb-toast")?.remove();
    const box = document.createElement("div");
    box.id = "vb-toast"; box.setAttribute("role", "status"); box.textContent = text;
    document.body.append(box);
    setTimeout(() => box.remove(), 2500);
  }

  function copyLink() {
    const link = location.href;
    const done = () => toast("link copied");
    if (navigator.clipboard && window.isSecureContext) navigator.clipboard.writeText(link).then(done, () => showLink(link));
    else showLink(link);
  }
  // Where nothing may be copied, as in a frame of another site.
  function showLink(link) {
    const field = document.createElement("input");
    field.value = link; field.readOnly = true; field.size = 60; field.setAttribute("aria-label", "Link to this view");
    const box = dialog("vb-link", "Link to this view", field, closer(() => box));
    field.select();
  }

  // A native dialog: the rest of the page is inert, Escape closes it, focus returns.
  function dialog(id, name, ...content) {
    document.getElementById(id)?.close();
    const box = document.createElement("dialog");
    box.id = id; box.setAttribute("aria-label", name); box.append(...content);
    box.addEventListener("close", () => box.remove());
    box.addEventListener("click", (e) => { if (e.target === box) box.close(); });
    document.body.append(box);
    box.showModal();
    return box;
  }
  function closer(box) {
    const button = document.createElement("button");
    button.className = "vb-button vb-close"; button.textContent = "close"; button.onclick = () => box().close();
    return button;
  }

  function help() {
    const table = document.createElement("table"), title = document.createElement("h2");
    for (const [key, what] of KEYS) {
      if ("reading" in document.body.dataset && what.startsWith("in the label queue")) continue; // a page without one
      const row = table.insertRow();
      row.insertCell().textContent = key; row.insertCell().textContent = what;
    }
    title.textContent = "Keys";
    const box = dialog("vb-help", "Keys", title, table, closer(() => box));
  }

  function zoom(image) {
    if (!image) return;
    const big = document.createElement("img");
    big.src = image.src; big.alt = image.alt;
    const box = dialog("vb-overlay", "The picture, enlarged", big, closer(() => box));
    let scale = 1, x = 0, y = 0;
    const place = () => { big.style.transform = `translate(${x}px, ${y}px) scale(${scale})`; };
    big.onload = () => {
      scale = Math.min(innerWidth * .92 / big.naturalWidth, innerHeight * .92 / big.naturalHeight);
      x = -big.naturalWidth * scale / 2; y = -big.naturalHeight * scale / 2; place();
    };
    const by = (factor, cx, cy) => { x = cx - (cx - x) * factor; y = cy - (cy - y) * factor; scale *= factor; place(); };
    box.addEventListener("wheel", (e) => {
      e.preventDefault();
      by(e.deltaY < 0 ? 1.15 : 1 / 1.15, e.clientX - innerWidth / 2, e.clientY - innerHeight / 2);
    }, { passive: false });
    box.addEventListener("keydown", (e) => {
      if (e.key === "+") by(1.3, 0, 0);
      if (e.key === "-") by(1 / 1.3, 0, 0);
    });
    let from = null, moved = false;
    box.onpointerdown = (e) => {
      if (e.target.closest("button")) return;
      from = [e.clientX - x, e.clientY - y]; moved = false; box.setPointerCapture(e.pointerId);
    };
    box.onpointermove = (e) => { if (from) { x = e.clientX - from[0]; y = e.clientY - from[1]; moved = true; place(); } };
    box.onpointerup = () => { if (from && !moved) box.close(); from = null; };
  }

  // A long text in a pane of its own, with a search that marks and counts what it finds.
  function whole(text) {
    if (!text) return;
    const copy = text.cloneNode(true), find = document.createElement("input"), said = document.createElement("span");
    copy.className = "vb-text vb-whole"; copy.removeAttribute("data-testid");
    find.type = "text"; find.placeholder = "search in this text"; find.setAttribute("aria-label", "search in this text");
    said.setAttribute("role", "status");
    const top = document.createElement("p");
    top.className = "vb-whole-top"; top.append(find, said);
    const box = dialog("vb-whole", text.getAttribute("aria-label") || "The whole text", top, copy);
    top.append(closer(() => box));
    let ranges = [], at = -1;
    const show = () => {
      if (!ranges.length) return;
      at = (at + ranges.length) % ranges.length;
      CSS.highlights?.set("vb-here", new Highlight(ranges[at]));
      const spot = ranges[at].getBoundingClientRect(), frame = copy.getBoundingClientRect();
      copy.scrollTop += spot.top - frame.top - frame.height / 3;
      said.textContent = `${at + 1} of ${ranges.length}`;
    };
    find.oninput = () => {
      ranges = find.value ? found(copy, find.value.toLowerCase()) : []; at = 0;
      CSS.highlights?.delete("vb-here");
      CSS.highlights?.set("vb-found", new Highlight(...ranges));
      said.textContent = find.value ? "not found" : "";
      show();
    };
    find.onkeydown = (e) => { if (e.key === "Enter") { at += e.shiftKey ? -1 : 1; show(); } };
    find.focus();
    formulas();
  }
  function found(root, wanted) {
    const ranges = [], walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node; (node = walker.nextNode()) && ranges.length < 5000;) {
      if (node.parentElement.closest("[hidden], .katex-mathml")) continue;
      const text = node.data.toLowerCase();
      for (let start = text.indexOf(wanted); start >= 0; start = text.indexOf(wanted, start + wanted.length)) {
        const range = document.createRange();
        range.setStart(node, start); range.setEnd(node, start + wanted.length); ranges.push(range);
      }
    }
    return ranges;
  }

  function written() {
    document.body.classList.toggle("vb-written");
    applyWritten();
  }
  function applyWritten() {
    const raw = document.body.classList.contains("vb-written");
    document.querySelectorAll(".vb-as-rendered").forEach((e) => { e.hidden = raw; });
    document.querySelectorAll(".vb-as-written").forEach((e) => { e.hidden = !raw; });
  }

  // Labels are saved one after the other: what comes meanwhile waits, and nothing is lost.
  const DEEDS = ["vb-valid", "vb-invalid", "vb-unsure", "vb-undo", "vb-skip", "vb-reveal"];
  const turn = () => document.querySelector("[data-turn]")?.dataset.turn;
  const waiting = [];
  let before = null, since = 0, pressing = false;
  function deed(id) {
    if (before !== null) return void waiting.push(id);
    const button = document.getElementById(id);
    if (!button) return;
    before = turn() ?? ""; since = performance.now();
    pressing = true; button.click(); pressing = false;
  }
  function settled() {
    if (before === null) return;
    const late = performance.now() - since > 20000;
    if (turn() === before || (before === "" && turn() === undefined)) {
      if (!late) return;
      waiting.length = 0; toast("not saved: the server does not answer");
    }
    before = null;
    if (waiting.length) deed(waiting.shift());
  }
  setInterval(settled, 500);

  document.addEventListener("click", (e) => {
    const button = e.target.closest("button");
    if (pressing || !button || !DEEDS.includes(button.id)) return;
    e.stopPropagation(); e.preventDefault();
    deed(button.id);
  }, true);

  document.addEventListener("click", (e) => {
    const cell = e.target.closest(".vb-strip [data-s]");
    if (cell) return send("sample", cell.dataset.s, cell.parentElement.dataset.side);
    const button = e.target.closest("[data-do]");
    if (!button) return;
    const what = button.dataset.do;
    if (what === "zoom") return zoom(button.querySelector("img"));
    if (what === "copy") return copyLink();
    if (what === "help") return help();
    if (what === "written") return written();
    if (what === "among_link") { tabNamed("samples")?.click(); return send("link", button.dataset.value); }
    if (what === "whole") return whole(button.closest(".vb-pane")?.querySelector(".vb-text"));
    send(what, button.dataset.value, button.dataset.side);
  });

  const tabNamed = (name) => [...document.querySelectorAll('[role="tab"]')].find((one) => one.textContent.trim().toLowerCase() === name);

  // The report's figures are drawn when they come into view; what draws them comes with the tab.
  const watcher = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      watcher.unobserve(target);
      const palettes = JSON.parse(target.closest("[data-palettes]").dataset.palettes);
      window.vbDrawPanel(target, JSON.parse(target.dataset.spec), palettes[document.querySelector(".dark") ? "dark" : "light"]);
      target.dataset.drawn = "1";
    }
  }, { rootMargin: "400px" });
  function figures() {
    const source = document.getElementById("vb-plotly");
    if (!window.vbDrawPanel && source) {
      const script = document.createElement("script");
      script.textContent = source.textContent;
      document.head.append(script);
    }
    if (!window.vbDrawPanel) return;
    document.querySelectorAll("[data-spec]:not([data-watched])").forEach((one) => { one.dataset.watched = "1"; watcher.observe(one); });
  }

  // The list follows what is typed, and what is deleted, once the fingers rest.
  let typed = null;
  document.addEventListener("input", (e) => {
    if (!e.target.closest("#vb-search")) return;
    clearTimeout(typed);
    typed = setTimeout(() => send("search", e.target.value), 150);
  });

  let walked = 0;
  document.addEventListener("keydown", (e) => {
    if (document.querySelector("dialog[open]")) return; // what lies under a dialog stays where it is
    if (e.key === "Escape" && /^(INPUT|TEXTAREA)$/.test(e.target.tagName)) return e.target.blur();
    if (typing(e)) return;
    if (/^Arrow(Up|Down|Left|Right)$/.test(e.key) && rove(e)) return;
    const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
    if (key === "?") return help();
    if (labelling()) {
      const buttons = { 1: "vb-valid", 2: "vb-invalid", 3: "vb-unsure", u: "vb-undo", s: "vb-skip" };
      if (buttons[key]) { e.preventDefault(); if (!e.repeat) deed(buttons[key]); return; }
      if (key === "n") { e.preventDefault(); document.querySelector("#vb-note textarea")?.focus(); return; }
    }
    if (key === "r") return written();
    if (key === "z") return zoom([...document.querySelectorAll(".vb-zoom img")].find(shown));
    if (key === "f") { e.preventDefault(); return whole([...document.querySelectorAll(".vb-text")].find(shown)); }
    if (!shown(document.querySelector(".vb-problem"))) return;
    const actions = {
      j: ["problem_step", 1], k: ["problem_step", -1], ArrowRight: ["sample_both", 1], ArrowLeft: ["sample_both", -1],
      w: ["sample_left", 1], q: ["sample_left", -1], p: ["sample_right", 1], o: ["sample_right", -1],
    };
    if (actions[key]) {
      e.preventDefault();
      // A key that is held down walks at a pace that the server keeps.
      if (e.repeat && e.timeStamp - walked < 200) return;
      walked = e.timeStamp;
      return send(...actions[key]);
    }
    if (key === "y") return copyLink();
    if (key === "/") { e.preventDefault(); document.querySelector("#vb-search textarea, #vb-search input")?.focus(); }
  });

  // A group of buttons is one stop for Tab; arrows walk within it.
  function groups() {
    document.querySelectorAll("[data-roving]").forEach((group) => {
      const buttons = [...group.querySelectorAll("button")];
      const first = buttons.find((b) => b === document.activeElement) ||
        buttons.find((b) => b.getAttribute("aria-pressed") === "true" || b.hasAttribute("aria-current")) || buttons[0];
      buttons.forEach((button) => { button.tabIndex = button === first ? 0 : -1; });
    });
  }
  function rove(e) {
    const group = e.target.closest?.("[data-roving]");
    if (!group) return false;
    const column = group.dataset.roving === "column";
    if (column && !/Up|Down/.test(e.key)) return false;
    const buttons = [...group.querySelectorAll("button")];
    const next = buttons[buttons.indexOf(e.target) + (/Down|Right/.test(e.key) ? 1 : -1)];
    e.preventDefault();
    if (next) { buttons.forEach((b) => { b.tabIndex = -1; }); next.tabIndex = 0; next.focus(); }
    return true;
  }

  // The address follows the view; the browser's back button returns to the problem before.
  let problem = null;
  function follow() {
    const here = document.querySelector(".vb-here");
    if (!here) return;
    const query = here.dataset.query;
    const theme = new URLSearchParams(location.search).get("__theme");
    const tab = document.querySelector('[role="tab"][aria-selected="true"]')?.textContent.trim().toLowerCase();
    const wanted = query + (tab && tab !== "samples" ? `&tab=${encodeURIComponent(tab)}` : "") +
      (theme ? `&__theme=${encodeURIComponent(theme)}` : "");
    if (location.search !== wanted) {
      if (problem !== null && problem !== here.dataset.problem) history.pushState(null, "", wanted);
      else history.replaceState(null, "", wanted);
    }
    problem = here.dataset.problem;
    document.querySelectorAll(".vb-row").forEach((row) => {
      if (row.dataset.value === problem) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    });
  }
  // What has come since the list was made is offered; until then nothing moves under the reader.
  function fresh() {
    const now = document.querySelector(".vb-fresh")?.dataset, list = document.querySelector("#vb-list [data-samples]")?.dataset;
    if (!now || !list) return;
    const samples = now.samples - list.samples, verdicts = now.verdicts - list.verdicts;
    const what = samples > 0 ? `${samples} new samples` : verdicts > 0 ? `${verdicts} new verdicts` : "";
    const said = now.of === list.of && what ? `${what}: show` : "";
    const button = document.querySelector(".vb-fresh");
    if (button.textContent !== said) { button.textContent = said; button.hidden = !said; }
  }
  addEventListener("popstate", () => { problem = null; send("link", location.search); });

  let katex = null;
  const options = () => ({ throwOnError: false, trust: false, strict: "ignore", maxExpand: 200, maxSize: 8, macros: {} });
  async function formulas() {
    const waiting = [...document.querySelectorAll(".vb-tex:not([data-done])")].filter((e) => !e.closest("[hidden]")).slice(0, 200);
    if (!waiting.length || !window.vbKatex) return;
    if (!katex) {
      const found = await import(window.vbKatex);
      katex = Object.values(found).find((value) => value && value.render);
    }
    for (const element of waiting) {
      if (element.dataset.done) continue;
      const source = element.textContent;
      element.dataset.done = "1"; element.title = source;
      try { katex.render(source, element, { ...options(), displayMode: element.classList.contains("vb-display") }); }
      catch (error) { element.textContent = source; }
    }
  }

  let pending = false;
  new MutationObserver(() => {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => { pending = false; follow(); fresh(); applyWritten(); groups(); settled(); formulas(); figures(); });
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-selected"] });
})();
