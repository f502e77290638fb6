// A stacked chart of the numbers that stand in a table: <div data-chart="id of the table" hidden>.
// Without JavaScript the table is there alone; with it the table folds away below the chart.
"use strict";
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  function draw(place) {
    const table = document.getElementById(place.dataset.chart);
    const names = [...table.querySelectorAll("thead th[data-fate]")];
    const rows = [...table.querySelectorAll("tbody tr")];
    const days = rows.map((row) => row.querySelector("th").textContent.trim());
    const values = names.map((_, n) => rows.map((row) => Number(row.querySelectorAll("td")[n].dataset.n)));
    // Stacked: each series is drawn with those below it, the highest first.
    const sums = values.map((_, n) => rows.map((_, day) => values.slice(0, n + 1).reduce((all, one) => all + one[day], 0)));
    const order = names.map((_, n) => n).reverse();
    const bars = uPlot.paths.bars({ size: [0.7, 64], radius: 0.1 });
    const ink = getComputedStyle(document.body).color;
    place.hidden = false;
    place.replaceChildren();
    const grid = { stroke: colour("line"), width: 1 };
    const width = place.clientWidth;
    const every = Math.ceil(days.length / Math.max(2, Math.floor(width / 90)));
    const legend = place.nextElementSibling;
    new uPlot({
      width, height: 220, padding: [null, 24, null, null], legend: { show: false }, cursor: { points: { show: false }, drag: { x: false, y: false } },
      scales: { x: { time: false, range: (_, least, most) => [least - 0.6, most + 0.6] }, y: { range: (_, least, most) => [0, Math.max(1, most * 1.05)] } },
      axes: [
        { stroke: ink, grid: { show: false }, ticks: grid, splits: () => days.map((_, n) => n).filter((n) => (days.length - 1 - n) % every === 0), values: (_, at) => at.map((n) => days[n]) },
        { stroke: ink, grid, ticks: grid, size: 56, values: (_, at) => at.map((n) => (Number.isInteger(n) ? n.toLocaleString(document.documentElement.lang) : "")) },
      ],
      series: [{}, ...order.map((n) => ({ label: names[n].textContent, fill: colour(names[n].dataset.fate), stroke: colour(names[n].dataset.fate), width: 0, paths: bars, points: { show: false } }))],
      hooks: {
        setCursor: [(chart) => {
          const day = chart.cursor.idx;
          place.title = day == null ? "" : `${days[day]}: ${names.map((one, n) => `${one.textContent} ${values[n][day]}`).join(", ")}`;
        }],
      },
    }, [days.map((_, n) => n), ...order.map((n) => sums[n])], place);
    if (!legend.classList.contains("chart-legend")) {
      const made = document.createElement("p");
      made.className = "chart-legend";
      made.setAttribute("aria-hidden", "true");
      for (const one of names) {
        const word = document.createElement("span");
        word.className = `fate ${one.dataset.fate}`;
        word.textContent = `■ ${one.textContent} `;
        made.append(word);
      }
      place.after(made);
      table.closest("details").open = false;
    }
  }

  function all() {
    document.querySelectorAll("[data-chart]").forEach(draw);
  }
  all();
  let waiting = 0;
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(all, 150); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
})();
