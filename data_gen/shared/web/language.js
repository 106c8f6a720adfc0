// The language of the interface: the browser's, which is Chinese or else English; a button changes it.
// A text stands in the page twice, of class "en" and "zh"; attributes have a twin, data-zh-NAME.
"use strict";

const TWINS = ["placeholder", "aria-label", "title"];

function setLanguage(language) {
  const chinese = language.toLowerCase().startsWith("zh");
  document.documentElement.lang = chinese ? "zh-Hans" : "en";
  for (const name of TWINS)
    for (const node of document.querySelectorAll(`[data-zh-${name}]`)) {
      if (!node.hasAttribute(`data-en-${name}`)) node.setAttribute(`data-en-${name}`, node.getAttribute(name));
      node.setAttribute(name, node.getAttribute(`data-${chinese ? "zh" : "en"}-${name}`));
    }
}

// A text in both languages, as nodes.
function both(en, zh) {
  return [["en", "en", en], ["zh", "zh-Hans", zh]].map(([className, lang, text]) => {
    const node = document.createElement("span");
    Object.assign(node, { className, lang, textContent: text });
    return node;
  });
}

// An attribute of TWINS in both languages.
function bothAttributes(node, name, en, zh) {
  node.setAttribute(`data-en-${name}`, en);
  node.setAttribute(`data-zh-${name}`, zh);
  node.setAttribute(name, document.documentElement.lang.startsWith("zh") ? zh : en);
}

function changeLanguage() {
  setLanguage(document.documentElement.lang.startsWith("zh") ? "en" : "zh");
}

setLanguage(navigator.language || "en");
document.addEventListener("DOMContentLoaded", () => {
  setLanguage(document.documentElement.lang);
  for (const button of document.querySelectorAll("button.language"))
    button.addEventListener("click", changeLanguage);
});
