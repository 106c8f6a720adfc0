// Asks /api/predict for what is typed and shows it. Text becomes nodes, never HTML.
"use strict";

const WAIT = 500; // milliseconds without a key after which is asked
const field = document.getElementById("text");
const ratio = document.getElementById("ratio");
const ratioValue = document.getElementById("ratio-value");
const status = document.getElementById("status");
const results = document.getElementById("results");
let timer = 0;
let running = null;
let moved = false; // the slider; until then the server's own ratio holds

function make(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in node) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

function share(probability) {
  const percent = 100 * probability;
  if (percent >= 0.1) return percent.toFixed(1) + "%";
  return percent > 0 ? "<0.1%" : "0%";
}

async function ask() {
  clearTimeout(timer);
  if (running) running.abort();
  const text = field.value;
  if (!text.trim()) {
    results.replaceChildren();
    tell("");
    return;
  }
  const own = (running = new AbortController());
  tell("检查中……");
  try {
    const request = { text };
    if (moved) request.ratio = chosenRatio();
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
    tell(error instanceof TypeError ? "连不上：命令已经结束了吗？" : error.message, true);
  }
}

function tell(message, bad = false) {
  status.textContent = message;
  status.classList.toggle("error", bad);
}

function show(found) {
  document.getElementById("model").textContent = found.model;
  setRatio(found.ratio);
  const count = found.sentences.reduce((sum, one) => sum + placesOf(one).length, 0);
  const filled = found.sentences.some((one) => one.task === "fill");
  tell(count ? `${count} 处${filled ? "" : "可疑"}` : "没有可疑的地方");
  results.replaceChildren(...found.sentences.map(article));
}

function setRatio(value) {
  if (!moved) ratio.value = Math.log10(value);
  ratioValue.textContent = `≥ ${Number(value.toPrecision(2))} 倍`;
}

function chosenRatio() {
  return 10 ** Number(ratio.value);
}

// Runs of [MASK]s as words, the other [MASK]s, or the suspicious words; in the order of the text.
function placesOf(sentence) {
  if (sentence.task === "correct") return sentence.suspicious;
  const words = sentence.words;
  const alone = (mask) => !words.some((word) => word.start <= mask.start && mask.start < word.stop);
  return [...words, ...sentence.masks.filter(alone)].sort((a, b) => a.start - b.start);
}

function article(sentence) {
  const characters = Array.from(sentence.text); // offsets count characters, not UTF-16 units
  const slice = (start, stop) => characters.slice(start, stop).join("");
  const places = placesOf(sentence).map((place) => {
    const old = slice(place.start, place.stop);
    return { ...place, old, chosen: place.proposals.length ? place.proposals[0].text : old };
  });
  const line = make("p", { className: "sentence" });
  const cards = make("div", { className: "places" });
  const copy = make("button", { type: "button" }, "采用");
  const node = make("article", {}, line);
  const whole = () => assembled(places, slice, characters.length, (place) => place.chosen).join("");
  const draw = () => {
    const focused = [...line.children].indexOf(document.activeElement);
    line.replaceChildren(...assembled(places, slice, characters.length, (place) => mark(place, sentence, cards, places)));
    if (focused >= 0) line.children[focused].focus();
  };
  places.forEach((place, i) => cards.append(card(place, sentence, `${sentence.line}-${sentence.start}-${i}`, draw)));
  if (places.length) {
    copy.addEventListener("click", () => adopt(sentence, whole()));
    node.append(cards, make("div", { className: "result" }, copy));
  }
  draw();
  return node;
}

// The text between the places as it is, each place as `shown` gives it.
function assembled(places, slice, length, shown) {
  const parts = [];
  let at = 0;
  for (const place of places) {
    parts.push(slice(at, place.start), shown(place));
    at = place.stop;
  }
  return [...parts, slice(at, length)];
}

function mark(place, sentence, cards, places) {
  const same = place.chosen === place.old;
  const parts = same ? [make("span", { className: "kept" }, place.old)] : [make("ins", {}, place.chosen)];
  if (!same && sentence.task === "correct") parts.unshift(make("del", {}, place.old));
  const best = place.proposals.find((one) => one.text === place.chosen);
  const tips = [];
  if (sentence.task === "correct") tips.push(`${place.old} ${share(place.probability)}`);
  if (best && !(same && tips.length)) tips.push(`${best.text} ${share(best.probability)}`);
  const tip = tips.join(" → ");
  const node = make("button", { type: "button", className: "word", "data-tip": tip }, ...parts);
  node.setAttribute("aria-label", `${same ? "保留 " : ""}${tip}；选择别的词`);
  const target = () => cards.children[places.indexOf(place)];
  node.addEventListener("click", () => target().querySelector("input:checked").focus());
  for (const [event, near] of [["pointerenter", true], ["focus", true], ["pointerleave", false], ["blur", false]])
    node.addEventListener(event, () => target().classList.toggle("near", near));
  return node;
}

function card(place, sentence, id, draw) {
  const options = place.proposals.map((one) => ({ text: one.text, probability: one.probability }));
  if (!options.some((one) => one.text === place.old))
    options.push({ text: place.old, probability: place.probability, own: true });
  const title = sentence.task === "correct" ? `“${place.old}” 改为` : "填入";
  const node = make("fieldset", {}, make("legend", {}, title));
  options.forEach((one) => {
    const input = make("input", { type: "radio", name: id, checked: one.text === place.chosen });
    input.addEventListener("change", () => { place.chosen = one.text; draw(); });
    const known = one.probability !== undefined;
    const label = !one.own ? one.text : known ? `${one.text}（不改）` : "不填";
    const choice = make("label", { className: "choice" }, input, make("span", {}, label));
    if (known) {
      const meter = make("meter", { min: 0, max: 1, value: one.probability });
      meter.setAttribute("aria-hidden", "true"); // the number says it
      choice.append(meter, make("small", {}, share(one.probability)));
    }
    node.append(choice);
  });
  return node;
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
  if (!event.isComposing) timer = setTimeout(ask, WAIT);
});
field.addEventListener("compositionend", () => { timer = setTimeout(ask, WAIT); });
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
ratio.addEventListener("input", () => {
  moved = true;
  setRatio(chosenRatio());
  clearTimeout(timer);
  timer = setTimeout(ask, WAIT);
});
