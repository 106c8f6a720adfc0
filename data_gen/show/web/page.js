// Chooses among the examples of the page. A search and a choice of marks hold at the same place, as
// in selection.py.
"use strict";

const tools = document.querySelector(".tools");
const find = document.getElementById("find");
const articles = [...document.querySelectorAll("article")].map(readArticle);
const found = window.CSS && CSS.highlights && window.Highlight ? new Highlight() : null;
if (found) CSS.highlights.set("found", found);

// What a search should not stumble over, character by character: case, accents, white space.
function simplified(text) {
  return [...text.toLowerCase().normalize("NFD").replace(/\p{Mn}|\s/gu, "")];
}

// An example: of each segment its runs, with the characters as they were and as the model sees them.
function readArticle(node) {
  const segments = [...node.querySelectorAll(".segment > span")].map((segment) =>
    [...segment.childNodes].map((run) => {
      const cells = run.children ? [...run.children] : [];
      const shown = cells.length ? cells.map((cell) => base(cell)).join("") : run.textContent;
      const old = cells.length ? cells.map((cell) => original(cell)).join("") : run.textContent;
      const kind = cells.length ? run.classList[1] : "";
      return { node: run, kind, pieces: cells.length, versions: [old, shown].map(simplified) };
    }));
  return { node, segments };
}

function base(cell) {
  const text = cell.firstChild.textContent;
  return cell.parentNode.classList.contains("mask") ? "[MASK]" : text;
}

function original(cell) {
  const above = cell.querySelector("rt");
  return above ? above.textContent : cell.textContent;
}

function chosen(name) {
  return tools.querySelector(`input[name="${name}"]:checked`).value;
}

function choose() {
  const needle = simplified(find.value);
  const [kind, pieces] = [chosen("kind"), chosen("pieces")];
  const least = pieces ? parseInt(pieces, 10) : 1;
  const most = pieces && !pieces.endsWith("+") ? least : Infinity;
  const fits = (run) => run.pieces >= least && run.pieces <= most && (!kind || run.kind === kind);
  const narrowed = Boolean(kind || pieces);
  if (found) found.clear();
  let count = 0;
  for (const { node, segments } of articles) {
    let some = false;
    for (const runs of segments) {
      const at = needle.length ? runsAt(runs, needle) : null; // runs at each occurrence
      const held = runs.filter((run) => fits(run) && (!at || at.some((hit) => hit.has(run))));
      some = some || (narrowed ? held.length > 0 : !at || at.length > 0);
      for (const run of runs)
        if (run.pieces) {
          run.node.classList.toggle("dim", narrowed && !held.includes(run));
          run.node.classList.toggle("hit", Boolean(at) && at.some((hit) => hit.has(run)));
        }
      if (found && at) at.forEach(highlight);
    }
    node.hidden = !some;
    if (some) count += 1;
  }
  document.getElementById("nothing").hidden = count > 0;
  const all = articles.length;
  document.getElementById("count").replaceChildren(
    ...both(`${count} of ${all} shown`, `显示 ${count} / ${all} 条`));
}

// Of each place where the needle stands in one of the two versions: the runs that it touches.
function runsAt(runs, needle) {
  const hits = [];
  for (const version of [0, 1]) {
    const owners = runs.flatMap((run) => run.versions[version].map(() => run));
    const text = runs.flatMap((run) => run.versions[version]);
    for (let i = 0; i + needle.length <= text.length; i++)
      if (needle.every((c, k) => text[i + k] === c)) {
        const hit = new Set(owners.slice(i, i + needle.length));
        hit.at = i - owners.indexOf(owners[i]);
        hit.length = needle.length;
        hit.version = version;
        hits.push(hit);
      }
  }
  return hits;
}

// Highlight what was found in text that is not marked.
function highlight(hit) {
  let [skip, left] = [hit.at, hit.length];
  for (const run of hit) {
    if (!run.pieces) {
      const places = placesOf(run.node.textContent);
      const range = new Range();
      range.setStart(run.node, places[skip][0]);
      range.setEnd(run.node, places[Math.min(skip + left, places.length) - 1][1]);
      found.add(range);
    }
    left -= run.versions[hit.version].length - skip;
    skip = 0;
  }
}

// Of each simplified character: where it stands in the text.
function placesOf(text) {
  const places = [];
  let at = 0;
  for (const character of text) {
    for (let i = simplified(character).length; i > 0; i--) places.push([at, at + character.length]);
    at += character.length;
  }
  return places;
}

function showRandom() {
  const shown = articles.filter(({ node }) => !node.hidden);
  if (!shown.length) return;
  const { node } = shown[Math.floor(Math.random() * shown.length)];
  const smooth = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  node.focus({ preventScroll: true });
  node.scrollIntoView({ block: "start", behavior: smooth ? "smooth" : "auto" });
}

// On a narrow page the examples come first, and the rest is a line each.
if (!matchMedia("(min-width: 75rem)").matches)
  for (const details of document.querySelectorAll("details")) details.open = false;
tools.hidden = false;
tools.addEventListener("input", choose);
tools.addEventListener("submit", (event) => event.preventDefault());
document.getElementById("random").addEventListener("click", showRandom);
choose();
