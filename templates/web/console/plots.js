// Plots from the numbers in a page's own table or data-plot; without script the table beside each tells the same.
"use strict";
(() => {
  const colors = ["#0b5c8f", "#a34b00", "#1a6b3c", "#7a2a8c", "#5a6572", "#a31621"];
  // Raw whole numbers as people read them: cents, hundredths of a percent, millionths of a dollar.
  const dollars = (n) => (Math.abs(n) >= 1000000 ? `$${+(n / 100000).toFixed(1)}k` : `$${Math.round(n / 100).toLocaleString("en-US")}`);
  const units = { money: dollars, micros: (n) => `$${(n / 1e6).toFixed(2)}`, share: (n) => `${(n / 100).toFixed(1)} %` };
  const exact = { money: (n) => `$${(n / 100).toFixed(2)}`, micros: units.micros, share: units.share };
  const short = (name, room) => (name.length > room ? `${name.slice(0, room - 1)}…` : name);
  const told_as = (unit) => (self, n) => (n === null ? "–" : (exact[unit] || String)(n));

  // Bars of several series stand beside each other: each is moved by its share of a place.
  const series_of = (told) => told.series.map((label, index) => {
    const count = told.series.length;
    const one = { label, stroke: colors[index % colors.length], width: 2, value: told_as(told.unit) };
    if (told.kind !== "bars") {
      return { ...one, dash: index > 2 ? [6, 4] : undefined, points: { show: told.values[0].length < 60 } };
    }
    return { ...one, fill: `${colors[index % colors.length]}cc`, points: { show: false },
      paths: uPlot.paths.bars({ size: [0.7 / count, 60], align: count === 1 ? 0 : index === 0 ? -1 : 1 }) };
  });

  const draw = (box) => {
    const told = JSON.parse(box.dataset.plot);
    const tongue = document.documentElement.lang;
    const day = (n) => new Date(n * 1000).toLocaleDateString(tongue, { timeZone: "UTC", month: "short", day: "numeric" });
    const days = (self, at) => at.map(day);
    const places = told.names ? told.names.length : 0;
    const room = () => Math.max(3, Math.floor((box.clientWidth - 110) / Math.max(places, 1) / 7.5));  // letters
    const named = (self, at) => at.map((n) => (Number.isInteger(n) ? short(told.names[n] ?? "", room()) : ""));
    const x = told.names ? { time: false, range: [-0.6, places - 0.4] } : { time: Boolean(told.days) };
    const first = { label: told.x };
    if (told.names) first.value = (self, n) => (n === null ? "–" : told.names[n]);
    if (told.days) first.value = (self, n) => (n === null ? "–" : day(n));
    const plot = new uPlot({
      width: box.clientWidth, height: 260, series: [first, ...series_of(told)], scales: { x },
      axes: [{ values: told.names ? named : told.days ? days : undefined, space: 90,
        splits: told.names ? () => told.names.map((_, n) => n) : undefined },
      { size: 70, values: units[told.unit] ? (self, at) => at.map(units[told.unit]) : undefined }],
    }, told.names ? [told.names.map((_, n) => n), ...told.values] : told.values, box);
    // A telephone that is turned, a window that is made smaller: the plot follows its place.
    new ResizeObserver(() => {
      if (Math.abs(box.clientWidth - plot.width) > 1) plot.setSize({ width: box.clientWidth, height: 260 });
    }).observe(box);
  };
  for (const box of document.querySelectorAll("[data-plot]")) draw(box);
})();
