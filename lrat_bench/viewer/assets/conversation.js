/* One trajectory, turn by turn: what the agent thought, asked, was shown, read and said. */
"use strict";

(() => {
  const { el, span, p, div, clipped, documentText } = window.lratView;

  class Conversation {
    /**
     * @param {object} value of a trajectory, as its shard holds it
     * @param {number} run place of its run
     * @param {object|null} parts the step at which it parts from the others beside it
     */
    constructor(value, run, parts) {
      this.value = value;
      this.run = run;
      this.parts = parts;
      this.documents = new Map(value.documents.map(([docid, title, shelf]) => [docid, { title, shelf }]));
      this.evidence = new Set(value.evidence ?? []);
      this.gold = new Set(value.gold ?? []);
      this.reads = new Map();
      for (const { turn, steps } of value.turns) {
        for (const step of steps) {
          if (step.kind !== "browse" || !step.found) continue;
          this.reads.set(step.docid, [...(this.reads.get(step.docid) ?? []), { at: step.at, turn }]);
        }
      }
    }

    /** The turns as elements, one each. */
    turns() {
      return this.value.turns.map(({ turn, facts, steps }) =>
        el(
          "section",
          { class: "turn" },
          el(
            "header",
            { class: "turn-head" },
            turn !== null && el("h3", null, `Turn ${turn}`),
            facts.length > 0 && span("muted small", facts.join(" · ")),
          ),
          ...steps.map((step) => this.step(step)),
          !steps.length && p("muted small", "Nothing was said or asked."),
        ),
      );
    }

    step(step) {
      const made = this[`${step.kind}Step`](step);
      made.classList.add("step", step.kind);
      if (this.parts === step) {
        made.classList.add("parts");
        made.prepend(p("parts-mark", "They part here"));
      }
      return made;
    }

    thinkStep({ text, note }) {
      const label = span("step-label", "Reasoning", note && span("muted", ` · ${note}`));
      return el("div", null, label, text && clipped(text, { limit: 900 }));
    }

    textStep({ text }) {
      return el("div", null, clipped(text, { limit: 900 }));
    }

    noticeStep({ text }) {
      return el("div", null, span("step-label", "Notice"), div("prose", text));
    }

    answerStep({ text }) {
      return el("div", null, span("step-label", "Answer"), clipped(text, { limit: 1500 }));
    }

    searchStep({ at, query, hits, error, again }) {
      return el(
        "div",
        null,
        p("asked-for", span("step-label", "Search"), el("q", null, query), this.repeated(again)),
        error && p("step-error", error),
        hits.length > 0 && el("ol", { class: "hits" }, ...hits.map((hit) => this.hit(hit, at))),
        !hits.length && !error && p("muted small", "Nothing was found."),
      );
    }

    hit([docid, rank, score, shown], at) {
      const { title, shelf } = this.documents.get(docid) ?? {};
      const later = (this.reads.get(docid) ?? []).find((read) => read.at > at);
      const line = [
        span("rank", String(rank)),
        span("hit-title", title || span("mono", docid)),
        ...this.marks(docid),
        later && span("badge", later.turn === null ? "read later" : `read in turn ${later.turn}`),
        !shown && span("badge", "not shown"),
        span("hit-facts", title ? span("mono", docid) : "", span("score", score)),
      ];
      const relevant = this.evidence.has(docid) || this.gold.has(docid);
      const kind = ["hit", relevant && "relevant", !shown && "unshown"].filter(Boolean).join(" ");
      if (shelf === null || shelf === undefined) return el("li", { class: kind }, div("hit-line", ...line));
      const details = el("details", null, el("summary", { class: "hit-line" }, ...line));
      const open = () => details.append(documentText(docid, shelf, this.run, false));
      details.addEventListener("toggle", open, { once: true });
      return el("li", { class: kind }, details);
    }

    browseStep({ docid, found, error, again }) {
      const { title, shelf } = this.documents.get(docid) ?? {};
      return el(
        "div",
        null,
        p(
          "asked-for",
          span("step-label", "Read"),
          span("read-title", title || ""),
          " ",
          span("mono muted", docid),
          ...this.marks(docid),
          this.repeated(again),
        ),
        (error || !found) && p("step-error", error || "not in the corpus"),
        found && documentText(docid, shelf, this.run, true),
      );
    }

    marks(docid) {
      const mark = (word, meaning) => [el("span", { class: "badge accent", title: meaning }, word)];
      if (this.gold.has(docid)) return mark("gold", "states the answer");
      return this.evidence.has(docid) ? mark("evidence", "supports the answer") : [];
    }

    repeated(again) {
      return again && span("badge", `again, ${again}`);
    }

    /** What became of a document: read, shown or missed, and in which turn first. */
    fate(docid) {
      const [read] = this.reads.get(docid) ?? [];
      if (read) return { kind: "read", turn: read.turn };
      const lists = ({ steps }) => steps.some(({ hits }) => hits?.some(([id, , , shown]) => shown && id === docid));
      const found = this.value.turns.find(lists);
      return found ? { kind: "found", turn: found.turn } : { kind: "missed", turn: null };
    }
  }

  Object.assign(window.lratView, { Conversation });
})();
