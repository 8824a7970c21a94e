"use strict";
// Draws the figures of the page when they come into view, in the colours of the reader's theme.
(() => {
  const { palettes, panels } = JSON.parse(document.getElementById("figures").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  let printing = false;
  const theme = () => palettes[dark.matches && !printing ? "dark" : "light"];

  const draw = (place) => {
    drawPanel(place, panels[place.id], theme());
    place.dataset.drawn = "yes";
  };

  const places = [...document.querySelectorAll("[data-panel]")];
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) {
        watcher.unobserve(entry.target);
        draw(entry.target);
      }
    }
  }, { rootMargin: "400px" });
  for (const place of places) watcher.observe(place);
  dark.addEventListener("change", () => places.filter((one) => one.dataset.drawn).forEach(draw));
  // A number leads to the problems that it counts, which are folded.
  const unfold = () => {
    const found = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const folded = found?.closest("details");
    if (folded) { folded.open = true; found.scrollIntoView(); }
  };
  window.addEventListener("hashchange", unfold);
  // Paper is white, and nobody can unfold what is printed.
  const folded = [];
  window.addEventListener("beforeprint", () => {
    printing = true;
    for (const one of document.querySelectorAll("details:not([open])")) { one.open = true; folded.push(one); }
    places.forEach(draw);
  });
  window.addEventListener("afterprint", () => {
    printing = false;
    for (const one of folded.splice(0)) one.open = false;
    places.filter((one) => one.dataset.drawn).forEach(draw);
  });
  unfold();
})();
