// Draws the last 24 hours from what stands in #history, and again whenever that was read anew. Without it the table says the same.

const COLOURS = { ages: ["#b3261e", "#1f6f5c", "#2f5f8f", "#8a8075"], waits: ["#1f6f5c", "#b4622d", "#b3261e"], sends: ["#1f6f5c", "#9cc7b8", "#c2a14d", "#b4622d", "#c2570c", "#7a2d1f"], people: ["#b3261e", "#1f6f5c", "#2f5f8f"] };
const INK = "#2b2723", SOFT = "#6a6158", LINE = "#e4dccf";
const FONT = getComputedStyle(document.body).fontFamily;
const charts = new Map();

function options(wanted) {
  return {
    animation: false,
    color: COLOURS[wanted.id],
    textStyle: { fontFamily: FONT, color: INK },
    aria: { enabled: false },
    legend: { type: "scroll", top: 0, left: 0, itemWidth: 12, itemHeight: 10, textStyle: { color: SOFT, fontSize: 12 } },
    tooltip: { renderMode: "richText", trigger: "axis", confine: true, valueFormatter: (value) => (value == null ? "—" : `${value} ${wanted.unit}`) },
    grid: { left: 4, right: 14, top: 34, bottom: 4, containLabel: true },
    xAxis: { type: "category", data: wanted.labels, boundaryGap: false, axisTick: { show: false }, axisLine: { lineStyle: { color: LINE } }, axisLabel: { color: SOFT, fontSize: 12 } },
    yAxis: { type: "value", min: 0, axisLabel: { color: SOFT, fontSize: 12 }, splitLine: { lineStyle: { color: LINE } } },
    series: wanted.series.map((each) => ({ ...each, type: "line", showSymbol: wanted.labels.length < 3, lineStyle: { width: 2 }, connectNulls: false })),
  };
}

function draw() {
  const told = document.querySelector("#history")?.dataset.charts;
  for (const wanted of JSON.parse(told || "[]")) {
    const place = document.querySelector(`[data-history="${wanted.id}"]`);
    if (!place || !wanted.labels.length) continue;
    place.hidden = false;
    if (!charts.has(wanted.id)) charts.set(wanted.id, window.echarts.init(place, null, { renderer: "canvas" }));
    charts.get(wanted.id).setOption(options(wanted));
  }
}

if (window.echarts) {
  draw();
  document.body.addEventListener("htmx:afterSwap", (event) => { if (event.target.id === "history" || event.detail.elt?.id === "history") draw(); });
  let waiting = 0;
  addEventListener("resize", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => charts.forEach((chart) => chart.resize()));
  });
}
