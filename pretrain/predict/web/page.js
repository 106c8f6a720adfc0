// Asks /api/predict for what is typed; sentences.js shows the answer.
"use strict";

const WAIT = 500; // milliseconds without a key after which is asked
const GONE = ["There is no answer: has the command ended?", "连不上：命令已经结束了吗？"];
const field = document.getElementById("text");
const ratio = threshold("ratio", (place) => 10 ** place, Math.log10,
  (value) => both(`${Number(value.toPrecision(2))} times`, `${Number(value.toPrecision(2))} 倍`));
const above = threshold("above", Number, Number, (value) => [share(value)]);
const status = document.getElementById("status");
const results = document.getElementById("results");
let timer = 0;
let running = null;

// A slider. Until it is moved the server's own value holds, which it may have no place for.
function threshold(id, valueAt, placeOf, write) {
  const slider = document.getElementById(id);
  const output = document.getElementById(`${id}-value`);
  const one = {
    moved: false,
    value: () => valueAt(Number(slider.value)),
    show(value) {
      if (!one.moved) slider.value = placeOf(value);
      output.replaceChildren(...write(value));
    },
  };
  slider.addEventListener("input", () => {
    one.moved = true;
    one.show(one.value());
    askSoon();
  });
  return one;
}

function askSoon() {
  clearTimeout(timer);
  timer = setTimeout(ask, WAIT);
}

async function ask() {
  clearTimeout(timer);
  if (running) running.abort();
  const text = field.value;
  if (!text.trim()) {
    results.replaceChildren();
    tell([]);
    return;
  }
  const own = (running = new AbortController());
  tell(both("Checking ...", "检查中……"));
  try {
    const request = { text };
    if (ratio.moved) request.ratio = ratio.value();
    if (above.moved) request.above = above.value();
    const answer = await fetch("/api/predict", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(request),
      signal: own.signal,
    });
    const found = await answer.json();
    if (own !== running) return;
    if (!answer.ok) throw new Error(found.error);
    show(found);
  } catch (error) {
    if (own !== running || error.name === "AbortError") return;
    results.replaceChildren();
    tell(error instanceof TypeError ? both(...GONE) : [error.message], true);
  }
}

function tell(message, bad = false) {
  status.replaceChildren(...message);
  status.classList.toggle("error", bad);
}

function show(found) {
  describe(found);
  const count = found.sentences.reduce((sum, one) => sum + placesOf(one).length, 0);
  const filled = found.sentences.some((one) => one.task === "fill");
  const [s, zh] = [count > 1 ? "s" : "", filled ? "" : "可疑"];
  tell(count
    ? both(`${count} ${filled ? "place" : "suspicious word"}${s}`, `${count} 处${zh}`)
    : both("Nothing suspicious at these thresholds", "按这样的标准没有可疑的地方"));
  results.replaceChildren(...found.sentences.map((sentence) => article(sentence, adopt)));
}

function describe(model) {
  document.getElementById("model").textContent = model.model;
  ratio.show(model.ratio);
  above.show(model.above);
}

// Write a sentence as chosen back into the text, where it came from.
function adopt(sentence, text) {
  const lines = field.value.split("\n");
  const line = Array.from(lines[sentence.line - 1] || "");
  const length = Array.from(sentence.text).length;
  if (line.slice(sentence.start, sentence.start + length).join("") === sentence.text) {
    line.splice(sentence.start, length, ...Array.from(text));
    lines[sentence.line - 1] = line.join("");
    field.value = lines.join("\n");
  }
  field.focus();
  ask();
}

field.addEventListener("input", (event) => {
  clearTimeout(timer);
  if (!event.isComposing) askSoon();
});
field.addEventListener("compositionend", askSoon);
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ask();
});
document.getElementById("form").addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
document.getElementById("mask").addEventListener("click", () => {
  field.setRangeText("[MASK]", field.selectionStart, field.selectionEnd, "end");
  field.focus();
  ask();
});
for (const button of document.querySelectorAll(".example"))
  button.addEventListener("click", () => {
    field.value = button.textContent;
    ask();
  });
fetch("/api/model").then((answer) => answer.json()).then(describe, () => tell(both(...GONE), true));
