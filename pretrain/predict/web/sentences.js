// Shows sentences with what the model proposes. Text becomes nodes, never HTML.
"use strict";

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

// Runs of [MASK]s as words, the other [MASK]s, or the suspicious words; in the order of the text.
function placesOf(sentence) {
  if (sentence.task === "correct") return sentence.suspicious;
  const words = sentence.words;
  const alone = (mask) => !words.some((word) => word.start <= mask.start && mask.start < word.stop);
  return [...words, ...sentence.masks.filter(alone)].sort((a, b) => a.start - b.start);
}

// A sentence with its places; `adopt` gets the text that is chosen.
function article(sentence, adopt) {
  const characters = Array.from(sentence.text); // offsets count characters, not UTF-16 units
  const slice = (start, stop) => characters.slice(start, stop).join("");
  const places = placesOf(sentence).map((place) => {
    const old = slice(place.start, place.stop);
    return { ...place, old, chosen: place.proposals.length ? place.proposals[0].text : old };
  });
  const line = make("p", { className: "sentence" });
  const cards = make("div", { className: "places" });
  const copy = make("button", { type: "button" }, ...both("Use it", "采用"));
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
  const [keep, zhKeep] = same ? ["kept: ", "保留 "] : ["", ""];
  bothAttributes(node, "aria-label", `${keep}${tip}; choose another word`, `${zhKeep}${tip}；选择别的词`);
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
  const correct = sentence.task === "correct";
  const title = correct ? both(`“${place.old}” becomes`, `“${place.old}” 改为`) : both("Fill in", "填入");
  const node = make("fieldset", {}, make("legend", {}, ...title));
  options.forEach((one) => {
    const input = make("input", { type: "radio", name: id, checked: one.text === place.chosen });
    input.addEventListener("change", () => { place.chosen = one.text; draw(); });
    const known = one.probability !== undefined;
    const kept = known ? both(`${one.text} (as it is)`, `${one.text}（不改）`) : both("leave it", "不填");
    const label = one.own ? kept : [one.text];
    const choice = make("label", { className: "choice" }, input, make("span", {}, ...label));
    if (known) {
      const meter = make("meter", { min: 0, max: 1, value: one.probability });
      meter.setAttribute("aria-hidden", "true"); // the number says it
      choice.append(meter, make("small", {}, share(one.probability)));
    }
    node.append(choice);
  });
  return node;
}
