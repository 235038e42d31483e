// Plots from the numbers in a page's own table or data-plot; without script the table beside each tells the same.
"use strict";
(() => {
  const colors = ["#0b5c8f", "#a34b00", "#1a6b3c", "#7a2a8c", "#5a6572", "#a31621"];
  const draw = (box) => {
    const told = JSON.parse(box.dataset.plot);
    const series = [{ label: told.x }];
    told.series.forEach((one, index) => series.push({
      label: one, stroke: colors[index % colors.length], width: 2, dash: index > 2 ? [6, 4] : undefined,
      points: { show: told.values[0].length < 60 },
    }));
    const days = told.days ? (self, at) => at.map((n) => new Date(n * 1000).toISOString().slice(0, 10)) : null;
    new uPlot({
      width: box.clientWidth, height: 260, series, scales: { x: { time: Boolean(told.days) } },
      axes: [{ values: days || undefined, space: 90 }, { size: 70 }],
    }, told.values, box);
  };
  for (const box of document.querySelectorAll("[data-plot]")) draw(box);
})();
