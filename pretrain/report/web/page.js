// The values of the curves under the pointer or by the arrow keys; runs that are hidden. Without it
// the charts are there all the same.
"use strict";

const charts = JSON.parse(document.getElementById("data").textContent);
const tip = document.getElementById("tip");
const controls = document.getElementById("controls");
const SVG = "http://www.w3.org/2000/svg";
const main = document.querySelector("main");

function make(name, attributes, ...children) {
  const node = name === "line" || name === "circle" || name === "g" ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// The curves of a chart that are not hidden.
const seen = (chart) => chart.curves.filter((curve) => !main.classList.contains(`no-${curve.run}`));

// All places of a chart where some curve has a point, from left to right.
const places = (chart) => [...new Set(seen(chart).flatMap((curve) => curve.points.map((point) => point[0])))].sort((a, b) => a - b);

function nearest(numbers, wanted) {
  let best = 0;
  numbers.forEach((x, i) => { if (Math.abs(x - wanted) < Math.abs(numbers[best] - wanted)) best = i; });
  return best;
}

// Show the values at a place: of each curve those of its nearest point.
function show(plot, x) {
  hide();
  const [, , width, height] = plot.getAttribute("viewBox").split(" ").map(Number);
  const cursor = make("g", { class: "at" }, make("line", { class: "cursor", x1: x, x2: x, y1: 10, y2: height - 24 }));
  const lines = [];
  for (const curve of seen(charts[plot.dataset.chart])) {
    const point = curve.points[nearest(curve.points.map((one) => one[0]), x)];
    if (Math.abs(point[0] - x) > width / 8) continue;
    if (point[1] !== null) cursor.append(make("circle", { class: `spot ${curve.colour}`, cx: point[0], cy: point[1], r: 4 }));
    lines.push(make("div", {}, make("i", { class: curve.colour }), `${curve.name}: ${point[3]} (step ${point[2]})`));
  }
  plot.append(cursor);
  plot.dataset.at = x;
  tip.replaceChildren(...lines);
  tip.hidden = !lines.length;
  // Below the chart, or above it where there is no room, and within the window.
  const box = plot.getBoundingClientRect();
  const at = box.left + (x / width) * box.width - tip.offsetWidth / 2;
  const below = box.bottom + tip.offsetHeight + 4 < innerHeight;
  tip.style.left = `${scrollX + Math.max(8, Math.min(at, document.documentElement.clientWidth - tip.offsetWidth - 8))}px`;
  tip.style.top = `${scrollY + (below ? box.bottom : box.top - tip.offsetHeight - 4)}px`;
}

function hide() {
  tip.hidden = true;
  for (const cursor of document.querySelectorAll(".at")) cursor.remove();
}

function move(plot, key) {
  const all = places(charts[plot.dataset.chart]);
  if (!all.length) return;
  const at = "at" in plot.dataset ? nearest(all, Number(plot.dataset.at)) : -1;
  const next = { ArrowRight: at + 1, ArrowLeft: at < 0 ? all.length - 1 : at - 1, Home: 0, End: all.length - 1 }[key];
  show(plot, all[Math.max(0, Math.min(all.length - 1, next))]);
}

for (const plot of document.querySelectorAll("svg[data-chart]")) {
  const follow = (event) => {
    const box = plot.getBoundingClientRect();
    const all = places(charts[plot.dataset.chart]);
    const x = ((event.clientX - box.left) / box.width) * Number(plot.getAttribute("viewBox").split(" ")[2]);
    if (all.length) show(plot, all[nearest(all, x)]);
  };
  plot.addEventListener("pointermove", follow);
  plot.addEventListener("pointerdown", follow);
  plot.addEventListener("pointerleave", hide);
  plot.addEventListener("blur", hide);
  plot.addEventListener("keydown", (event) => {
    if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) {
      event.preventDefault();
      move(plot, event.key);
    } else if (event.key === "Escape") hide();
  });
}

if (controls) {
  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.addEventListener("change", () => {
    hide();
    for (const box of controls.querySelectorAll("input[type=checkbox]")) main.classList.toggle(`no-${box.name}`, !box.checked);
    const axis = controls.querySelector("input[name=axis]:checked");
    main.classList.toggle("by-tokens", axis !== null && axis.value === "tokens");
  });
  // A browser may have kept what was chosen before the page was loaded again.
  controls.dispatchEvent(new Event("change"));
  const runs = controls.querySelectorAll("input[type=checkbox]").length;
  const rules = Array.from({ length: runs }, (_, i) => `.no-r${i} .r${i}{display:none}`);
  document.head.append(make("style", {}, rules.join("\n")));
}
