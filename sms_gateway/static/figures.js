// Draws the charts of the figures page from what stands in `data-chart`. Without it the tables say the same.
// Every bar and point leads to the list behind it. Tooltips are drawn as text: our pages allow no inline styles.

const COLOURS = ["#1f6f5c", "#2f5f8f", "#b4622d", "#7a5c99", "#8a8075", "#4f9d87", "#c2a14d", "#5b6f8f"];
const AGES = ["#cfe3dc", "#9cc7b8", "#6aab97", "#d9b26a", "#c2570c", "#8c3b06"];
const INK = "#2b2723", SOFT = "#6a6158", LINE = "#e4dccf";
const FONT = getComputedStyle(document.body).fontFamily;
const charts = [];

function shared(wanted, narrow) {
  return {
    animation: false,
    color: wanted.colours?.length ? wanted.colours : wanted.kind === "stack" ? AGES : wanted.kind === "bars" ? ["#6aab97", "#c2570c"] : COLOURS,
    textStyle: { fontFamily: FONT, color: INK },
    aria: { enabled: false },
    legend: { type: "scroll", top: 0, left: 0, itemWidth: 12, itemHeight: 10, textStyle: { color: SOFT, fontSize: 12 } },
    tooltip: { renderMode: "richText", trigger: "axis", confine: true, axisPointer: { type: wanted.kind === "lines" ? "line" : "shadow" } },
    grid: { left: 4, right: 18, top: 34, bottom: 4, containLabel: true },
  };
}

function options(wanted, narrow) {
  const flat = wanted.kind !== "lines";
  const names = {
    type: "category", data: wanted.labels, inverse: flat, axisTick: { show: false }, axisLine: { lineStyle: { color: LINE } },
    axisLabel: { color: SOFT, fontSize: 12, interval: flat ? 0 : "auto", width: narrow ? 84 : 150, overflow: "truncate" },
  };
  const counts = { type: "value", minInterval: 1, axisLabel: { color: SOFT, fontSize: 12 }, splitLine: { lineStyle: { color: LINE } } };
  const series = wanted.series.map((each) => ({
    name: each.name, data: each.data, cursor: "pointer",
    ...(flat ? { type: "bar", stack: "all", barMaxWidth: 18 } : { type: "line", symbolSize: 7, lineStyle: { width: 2 } }),
  }));
  return { ...shared(wanted, narrow), xAxis: flat ? counts : names, yAxis: flat ? names : counts, series };
}

function draw(place) {
  const wanted = JSON.parse(place.dataset.chart);
  if (!wanted.labels.length || !wanted.series.length) return;
  place.hidden = false;
  if (wanted.kind === "bars") place.classList.toggle("many", wanted.labels.length > 10);
  const chart = window.echarts.init(place, null, { renderer: "canvas" });
  chart.setOption(options(wanted, place.clientWidth < 480));
  chart.on("click", (hit) => {
    const link = wanted.links[hit.seriesIndex]?.[hit.dataIndex];
    if (link) location.assign(link);
  });
  charts.push(chart);
}

if (window.echarts) {
  document.querySelectorAll("[data-chart]").forEach(draw);
  let waiting = 0;
  addEventListener("resize", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => charts.forEach((chart) => chart.resize()));
  });
}

document.querySelector("#region")?.addEventListener("change", (event) => event.target.form.submit());
