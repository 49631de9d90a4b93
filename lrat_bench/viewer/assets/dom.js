/* Elements from texts. Nothing here or elsewhere in the viewer reads a text as markup. */
"use strict";

window.lratView = {};

(() => {
  /**
   * An element. `attributes`: class, title, href (an address within the page) and other attributes; `on` are listeners.
   * Children are elements or texts; null and false are left out.
   */
  const el = (tag, attributes, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes ?? {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name === "on") for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
      else if (name === "href" && !String(value).startsWith("#")) throw new TypeError("links lead within the page");
      else made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
    return made;
  };

  // The elements that most others are made of, by their class.
  const span = (kind, ...children) => el("span", { class: kind }, ...children);
  const p = (kind, ...children) => el("p", { class: kind }, ...children);
  const div = (kind, ...children) => el("div", { class: kind }, ...children);

  const LONG = 20000;

  const counted = new Intl.NumberFormat("en-US");
  const count = (number) => counted.format(number);

  const MARKS = { correct: "✓", incorrect: "✗", ungraded: "?", errored: "!" };
  const KINDS = { correct: "good", incorrect: "bad", ungraded: "warn", errored: "warn" };

  /** How a question came out, in words and colour. */
  const outcomeBadge = (outcome) =>
    span(`badge ${KINDS[outcome] ?? ""}`, `${MARKS[outcome] ?? ""} ${outcome}`);

  /** A status as people read it. */
  const statusWords = (status) => status.replaceAll("_", " ");

  /** The letter by which a run is called; of a lone run nothing. */
  const letterBadge = (letter) => el("span", { class: "letter", "aria-label": `run ${letter}` }, letter);

  /** A text, cut to a height until asked for all of it. */
  const clipped = (text, { limit = 700, kind = "prose", more = "Show all" } = {}) => {
    const body = div(`${kind} clip`, text);
    if (text.length <= limit && text.split("\n", 15).length <= 14) return body;
    // A very long text is not laid out before somebody wants it.
    const first = text.length > LONG ? text.slice(0, LONG / 4) : text;
    body.classList.add("closed");
    body.textContent = first;
    const label = () => (body.classList.contains("closed") ? `${more} ${count(text.length)} characters` : "Show less");
    const button = el("button", { type: "button", class: "more", "aria-expanded": "false" }, label());
    button.addEventListener("click", () => {
      const closed = body.classList.toggle("closed");
      body.textContent = closed ? first : text;
      button.setAttribute("aria-expanded", String(!closed));
      button.textContent = label();
    });
    return el("div", null, body, button);
  };

  Object.assign(window.lratView, { el, span, p, div, count, outcomeBadge, statusWords, letterBadge, clipped });
})();
