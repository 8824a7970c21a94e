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
    ["r", "text rendered or as written"], ["z", "enlarge the picture (wheel zooms, drag moves, Esc closes)"],
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
    if (navigator.clipboard && window.isSecureContext) navigator.clipboard.writeText(link).then(done, () => prompt("Link", link));
    else prompt("Link to this view", link);
  }

  function help() {
    const old = document.getElementById("vb-help");
    if (old) return old.remove();
    const cover = document.createElement("div"), box = document.createElement("div"), table = document.createElement("table");
    cover.id = "vb-help"; cover.onclick = () => cover.remove();
    for (const [key, what] of KEYS) {
      const row = table.insertRow();
      row.insertCell().textContent = key; row.insertCell().textContent = what;
    }
    const title = document.createElement("h3"); title.textContent = "Keys";
    box.append(title, table); cover.append(box); document.body.append(cover);
  }

  function zoom(image) {
    if (!image) return;
    const cover = document.createElement("div"), big = document.createElement("img");
    cover.id = "vb-overlay"; big.src = image.src; cover.append(big); document.body.append(cover);
    let scale = 1, x = 0, y = 0;
    const place = () => { big.style.transform = `translate(${x}px, ${y}px) scale(${scale})`; };
    big.onload = () => {
      scale = Math.min(innerWidth * .92 / big.naturalWidth, innerHeight * .92 / big.naturalHeight);
      x = -big.naturalWidth * scale / 2; y = -big.naturalHeight * scale / 2; place();
    };
    cover.addEventListener("wheel", (e) => {
      e.preventDefault();
      const factor = e.deltaY < 0 ? 1.15 : 1 / 1.15, cx = e.clientX - innerWidth / 2, cy = e.clientY - innerHeight / 2;
      x = cx - (cx - x) * factor; y = cy - (cy - y) * factor; scale *= factor; place();
    }, { passive: false });
    let from = null, moved = false;
    cover.onpointerdown = (e) => { e.preventDefault(); from = [e.clientX - x, e.clientY - y]; moved = false; };
    cover.onpointermove = (e) => { if (from) { moved = true; x = e.clientX - from[0]; y = e.clientY - from[1]; place(); } };
    cover.onpointerup = () => { from = null; if (!moved) cover.remove(); };
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
    send(what, button.dataset.value);
  });

  let walked = 0;
  const press = (id) => document.querySelector(`#${id}`)?.click();
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape") {
      document.getElementById("vb-overlay")?.remove(); document.getElementById("vb-help")?.remove();
      if (/^(INPUT|TEXTAREA)$/.test(e.target.tagName)) e.target.blur();
      return;
    }
    if (typing(e)) return;
    const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
    if (key === "?") return help();
    if (labelling()) {
      const buttons = { 1: "vb-valid", 2: "vb-invalid", 3: "vb-unsure", u: "vb-undo", s: "vb-skip" };
      if (buttons[key]) { e.preventDefault(); if (!e.repeat) press(buttons[key]); return; }
      if (key === "n") { e.preventDefault(); document.querySelector("#vb-note textarea")?.focus(); return; }
    }
    if (key === "r") return written();
    if (key === "z") return zoom([...document.querySelectorAll(".vb-zoom img")].find(shown));
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

  // The address follows the view; the browser's back button returns to the problem before.
  let problem = null;
  function follow() {
    const here = document.querySelector(".vb-here");
    if (!here) return;
    const query = here.dataset.query;
    const theme = new URLSearchParams(location.search).get("__theme");
    const wanted = theme ? `${query}&__theme=${theme}` : query;
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
    requestAnimationFrame(() => { pending = false; follow(); applyWritten(); formulas(); });
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
