/**
 * What is shown of a text, as HTML for other programs: headings, lists and tables stay what they are in a letter.
 *
 * Made of the elements that are there, so it can hold nothing that was not shown. Takes off what only this page knows.
 */

const SIGNS: Readonly<Record<string, string>> = { true: "☑ ", false: "☐ " };
const KEPT = new Set(["href", "start", "colspan", "rowspan"]);

/** Of blocks of code that are shown in part, all of it. */
const wholeTexts = new WeakMap<Element, string>();

export function keepWhole(pre: Element, text: string): void {
  wholeTexts.set(pre, text);
}

export function asHtml(shown: Iterable<Element>): string {
  return [...shown].map((element) => clean(element).innerHTML).join("");
}

function clean(shown: Element): Element {
  const copy = shown.cloneNode(true) as Element;
  const pres = copy.querySelectorAll("pre");
  shown.querySelectorAll("pre").forEach((pre, at) => {
    const code = document.createElement("code");
    // In one piece: colours are this page's.
    code.textContent = pre.dataset["folded"] === undefined ? pre.textContent : (wholeTexts.get(pre) ?? pre.textContent);
    pres[at]!.replaceChildren(code);
  });
  for (const box of copy.querySelectorAll("[data-checked]")) box.replaceWith(SIGNS[box.getAttribute("data-checked")!] ?? "");
  for (const own of copy.querySelectorAll("figcaption, button, svg")) own.remove();
  for (const box of copy.querySelectorAll("figure, div")) box.replaceWith(...box.childNodes);
  for (const element of copy.querySelectorAll<HTMLElement>("*")) {
    const { align } = element.dataset;
    for (const name of element.getAttributeNames()) if (!KEPT.has(name)) element.removeAttribute(name);
    // Attributes of old: the policy of this page takes offence at styles, also where they only pass through.
    if (align !== undefined) element.setAttribute("align", align);
  }
  // Programs for letters draw no lines by themselves.
  for (const table of copy.querySelectorAll("table")) {
    for (const [name, value] of [["border", "1"], ["cellspacing", "0"], ["cellpadding", "4"]] as const) table.setAttribute(name, value);
  }
  return copy;
}
