/* Texts of documents, as much as an agent was shown, loaded when somebody looks. */
"use strict";

(() => {
  const { el, span, p, div, count, clipped, load, numbered } = window.lratView;

  /**
   * A place that fills with a document's text.
   *
   * @param {string} docid of the document
   * @param {number|null} shelf number of its shard; null where its text is not at hand
   * @param {number} run place of the run whose protocol says how much was shown
   * @param {boolean} read whether it was read, or only stood in a result list
   */
  const documentText = (docid, shelf, run, read) => {
    const place = div("document");
    if (shelf === null || shelf === undefined) return place;
    place.append(span("muted small", "Loading …"));
    const fill = async () => {
      try {
        const documents = await load(numbered("docs", shelf));
        const found = documents.find((one) => one.id === docid);
        place.replaceChildren(...(found ? parts(found, run, read) : [note("Its text is not in the corpus.")]));
      } catch (problem) {
        place.replaceChildren(span("note bad", problem.message));
      }
    };
    fills.set(place, fill);
    nearby.observe(place);
    return place;
  };

  // A long conversation reads hundreds of documents: each is loaded when the reader comes near it.
  const fills = new WeakMap();
  const nearby = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue;
        nearby.unobserve(target);
        fills.get(target)();
      }
    },
    { rootMargin: "2000px" },
  );

  const parts = (found, run, read) => {
    const shown = found.shown[run];
    const end = shown === null ? found.text.length : shown[read ? 1 : 0];
    const made = [clipped(found.text.slice(0, end), { limit: 900, kind: "prose text" })];
    if (shown === null) made.push(note("How much of it was shown is not known: the protocol's tokenizer is not here."));
    if (end < found.text.length) {
      const where = read ? "" : " here";
      const rest = count(found.text.length - end);
      const label = `What follows, which the agent was not shown${where} (${rest} characters)`;
      made.push(el("details", { class: "rest" }, el("summary", null, label), div("prose text", found.text.slice(end))));
    } else if (found.length > found.text.length) {
      made.push(note(`The document goes on for ${count(found.length - found.text.length)} characters.`));
    }
    return made;
  };

  const note = (text) => p("muted small", text);

  Object.assign(window.lratView, { documentText });
})();
