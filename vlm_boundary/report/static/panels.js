"use strict";
// Draws one panel of a figure with plotly.js in given colours; the report's page and the demo do.
const drawPanel = (() => {
  // "theme:2" is the third colour of the palette, "theme:n" the neutral one, "theme:2/0.15" is
  // the third at an opacity of 0.15.
  const COLOUR = /^theme:(n|\d)(?:\/([\d.]+))?$/;
  const painted = (value, colours) => {
    if (typeof value === "string") {
      const found = COLOUR.exec(value);
      if (!found) return value;
      const hex = found[1] === "n" ? colours.neutral : colours.series[Number(found[1])];
      const alpha = Math.round(255 * Number(found[2] ?? 1)).toString(16).padStart(2, "0");
      return hex + alpha;
    }
    if (Array.isArray(value)) return value.map((one) => painted(one, colours));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, painted(v, colours)]));
  };

  const axis = (given, colours) => ({
    automargin: true, gridcolor: colours.grid, linecolor: colours.line, zerolinecolor: colours.line,
    zerolinewidth: 1.5, showline: true, ticks: "outside", tickcolor: colours.line, ...given,
  });

  return (place, spec, colours) => {
    const layout = painted(spec.layout, colours);
    Plotly.react(place, painted(spec.data, colours), {
      ...layout,
      xaxis: axis(layout.xaxis, colours),
      yaxis: axis(layout.yaxis, colours),
      height: spec.height,
      margin: { l: 55, r: 12, t: 8, b: 45 },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: "system-ui, sans-serif", size: 12, color: colours.ink },
      legend: { orientation: "h", traceorder: "normal", yref: "container", y: 0, yanchor: "bottom", x: 0 },
      hoverlabel: { bgcolor: colours.ground, font: { color: colours.ink } },
    }, { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"] });
  };
})();
