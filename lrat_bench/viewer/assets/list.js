/* The list of questions: filtered, searched, sorted, and drawn a page at a time. */
"use strict";

(() => {
  const { el, span, count, outcomeBadge, statusWords, letterBadge } = window.lratView;
  const PAGE = 100;
  const OUTCOMES = ["correct", "incorrect", "ungraded", "errored"];
  // Places in a cell.
  const [OUTCOME, STATUS, STEPS, RECALL, RECALL_SHOWN] = [0, 1, 2, 3, 4];

  class List {
    constructor(index, onChange) {
      this.index = index;
      this.runs = index.runs;
      this.entries = [];
      this.shown = [];
      this.onChange = onChange;
      this.state = List.defaults();
      this.table = document.getElementById("list");
      this.search = document.getElementById("search");
      this.outcome = document.getElementById("outcome");
      this.status = document.getElementById("status");
      this.sorting = document.getElementById("sort");
      this.listen();
    }

    static defaults() {
      return { q: "", outcome: "", status: "", sort: "", page: 1 };
    }

    /** Lines that have come in; the table is drawn when all are there. */
    fill(entries) {
      this.entries = entries;
      this.entries.forEach((entry, at) => {
        entry.at = at;
        entry.haystack = `${entry.qid} ${entry.text ?? ""}`.toLowerCase();
      });
      this.measured = this.entries.some(({ cells }) => cells.some((cell) => cell && cell[RECALL] !== null));
      const measures = [
        { name: "outcome", label: "Outcome", value: (cell) => OUTCOMES.indexOf(cell[OUTCOME]), text: true },
        { name: "steps", label: "Steps", value: (cell) => cell[STEPS] },
        { name: "recall", label: "Recall", value: (cell) => cell[RECALL], hint: "evidence searched or browsed" },
      ].slice(0, this.measured ? 3 : 2);
      this.columns = this.runs.flatMap((run, place) =>
        measures.map((measure) => ({ ...measure, key: `${measure.name}${run.letter}`, run, place })),
      );
      this.options();
      this.head();
    }

    options() {
      const option = (value, label) => el("option", { value }, label);
      const some = (outcome) => this.entries.some(({ cells }) => cells.some((cell) => cell?.[OUTCOME] === outcome));
      const letters = this.runs.map((run) => run.letter);
      const open = some("ungraded") || some("errored");
      const several = letters.length > 1;
      const both = letters.length === 2 ? "both" : "all";
      this.outcome.replaceChildren(
        option("", "all"),
        ...(several
          ? [
              ...letters.map((letter) => option(`only-${letter}`, `only ${letter} right`)),
              option("right", `${both} right`),
              option("wrong", `${both} wrong`),
              option("differ", "not the same"),
              ...(open ? [option("open", "not resolved")] : []),
            ]
          : OUTCOMES.filter(some).map((outcome) => option(outcome, outcome))),
      );
      const statuses = new Set(this.entries.flatMap(({ cells }) => cells.map((cell) => cell?.[STATUS])));
      statuses.delete(undefined);
      const ended = [...statuses].sort().map((one) => option(one, statusWords(one)));
      this.status.replaceChildren(option("", "all"), ...ended);
      this.sorting.replaceChildren(
        option("", "task order"),
        ...this.columns.flatMap(({ key, name, text, run }) => {
          const of = several ? `${run.letter} ${name}` : name;
          const [down, up] = text ? ["worst", "best"] : ["most", "least"];
          return [option(`-${key}`, `${of}, ${down} first`), option(key, `${of}, ${up} first`)];
        }),
      );
    }

    head() {
      const several = this.runs.length > 1;
      const sort = (column) => {
        const click = () => this.sortBy(column);
        return el("button", { type: "button", class: "sort", title: column.hint, on: { click } }, column.label);
      };
      const cells = this.columns.map((column) =>
        el("th", { scope: "col", class: column.text ? null : "num", "data-key": column.key }, sort(column)),
      );
      const width = this.columns.length / this.runs.length;
      const rows = several
        ? [
            el(
              "tr",
              null,
              el("th", { scope: "col", rowspan: 2 }, "Question"),
              ...this.runs.map(({ letter, agent, retriever }) => {
                const of = { scope: "colgroup", colspan: width, class: "of-run" };
                return el("th", of, letterBadge(letter), ` ${agent} · ${retriever}`);
              }),
            ),
            el("tr", null, ...cells),
          ]
        : [el("tr", null, el("th", { scope: "col" }, "Question"), ...cells)];
      this.table.tHead.replaceChildren(...rows);
      this.table.dataset.measures = width;
    }

    listen() {
      const set = (name, control) => () => this.update({ [name]: control.value, page: 1 });
      this.search.addEventListener("input", set("q", this.search));
      this.outcome.addEventListener("change", set("outcome", this.outcome));
      this.status.addEventListener("change", set("status", this.status));
      this.sorting.addEventListener("change", set("sort", this.sorting));
      document.getElementById("page-back").addEventListener("click", () => this.turn(-1));
      document.getElementById("page-on").addEventListener("click", () => this.turn(1));
    }

    sortBy({ key, text }) {
      const { sort } = this.state;
      // Numbers begin with the largest; a third click gives the task's order back.
      const order = text ? [key, `-${key}`, ""] : [`-${key}`, key, ""];
      this.update({ sort: order[(order.indexOf(sort) + 1) % order.length], page: 1 });
    }

    turn(by) {
      const page = Math.min(Math.max(1, this.state.page + by), this.pages);
      if (page === this.state.page) return;
      this.update({ page });
      window.scrollTo(0, this.table.getBoundingClientRect().top + window.scrollY - 80);
    }

    update(change) {
      this.state = { ...this.state, ...change };
      this.choose();
      this.draw();
      this.onChange();
    }

    /** Take a state from elsewhere: an address, or the way back from a question. */
    restore(state) {
      this.state = { ...List.defaults(), ...state };
      this.search.value = this.state.q;
      this.outcome.value = this.state.outcome;
      this.status.value = this.state.status;
      // What an address names and the list does not know chooses nothing.
      this.state.outcome = this.outcome.value;
      this.state.status = this.status.value;
      if (!this.column()) this.state.sort = "";
      this.choose();
      this.draw();
    }

    column() {
      const key = this.state.sort.replace(/^-/, "");
      return this.columns.find((column) => column.key === key);
    }

    fits({ cells }) {
      const { outcome, status } = this.state;
      if (status && !cells.some((cell) => cell?.[STATUS] === status)) return false;
      if (!outcome) return true;
      const of = cells.map((cell) => cell?.[OUTCOME]);
      const right = of.map((one) => one === "correct");
      if (outcome === "right") return right.every(Boolean);
      if (outcome === "wrong") return of.every((one) => one === "incorrect");
      if (outcome === "differ") return new Set(of).size > 1;
      if (outcome === "open") return of.some((one) => one === "ungraded" || one === "errored");
      if (!outcome.startsWith("only-")) return of[0] === outcome;
      return this.runs.every((run, place) => right[place] === (run.letter === outcome.slice("only-".length)));
    }

    choose() {
      const words = this.state.q.toLowerCase().split(/\s+/).filter(Boolean);
      const named = (entry) => words.every((word) => entry.haystack.includes(word));
      this.shown = this.entries.filter((entry) => named(entry) && this.fits(entry));
      const column = this.column();
      if (!column) return;
      const sign = this.state.sort.startsWith("-") ? -1 : 1;
      const value = ({ cells }) => (cells[column.place] ? column.value(cells[column.place]) : null);
      this.shown.sort((one, other) => {
        const [a, b] = [value(one), value(other)];
        // What has no value comes last either way.
        if (a === null || b === null) return (a === null) - (b === null) || one.at - other.at;
        return sign * (a - b) || one.at - other.at;
      });
    }

    get pages() {
      return Math.max(1, Math.ceil(this.shown.length / PAGE));
    }

    draw() {
      this.state.page = Math.min(Math.max(1, Math.trunc(this.state.page) || 1), this.pages);
      const first = (this.state.page - 1) * PAGE;
      const rows = this.shown.slice(first, first + PAGE).map((entry) => this.row(entry));
      const none = el("td", { colspan: 1 + this.columns.length }, "No question fits these filters.");
      this.table.tBodies[0].replaceChildren(...(rows.length ? rows : [el("tr", { class: "empty" }, none)]));
      const { sort } = this.state;
      this.sorting.value = sort;
      for (const head of this.table.tHead.querySelectorAll("[data-key]")) {
        head.removeAttribute("aria-sort");
        if (sort.replace(/^-/, "") !== head.dataset.key) continue;
        head.setAttribute("aria-sort", sort.startsWith("-") ? "descending" : "ascending");
      }
      const [shown, all] = [this.shown.length, this.entries.length];
      const things = this.index.repeats > 1 ? "rollouts" : "questions";
      const part = shown === all ? "" : `${count(shown)} of `;
      document.getElementById("count").textContent = `${part}${count(all)} ${things}`;
      document.getElementById("pager").hidden = this.pages === 1;
      const range = `${count(first + 1)}–${count(first + rows.length)}`;
      document.getElementById("page-at").textContent = `${range} of ${count(shown)}`;
      document.getElementById("page-back").disabled = this.state.page === 1;
      document.getElementById("page-on").disabled = this.state.page === this.pages;
    }

    row(entry) {
      const link = el(
        "a",
        { class: "question-link", href: window.lratView.address(this.letters(entry), entry) },
        span("qid mono", entry.qid),
        this.index.repeats > 1 && span("repeat", ` repeat ${entry.repeat + 1}`),
        entry.text !== null && span("wording", entry.text),
      );
      const cells = entry.cells.flatMap((cell, place) => this.cells(cell, this.runs[place]));
      return el("tr", null, el("td", { class: "asked" }, link), ...cells);
    }

    /** The runs that a question is first shown with: the first two that have it. */
    letters(entry) {
      const there = this.runs.filter((_, place) => entry.cells[place]).map((run) => run.letter);
      return there.slice(0, 2);
    }

    cells(cell, run) {
      const of = this.runs.length > 1 ? `${run.letter} ` : "";
      const dash = () => span("muted", "–");
      const figure = (label, text) => el("td", { class: "num", "data-label": label }, text ?? dash());
      const ended = cell && cell[STATUS] !== "answered" ? span("ended", statusWords(cell[STATUS])) : null;
      return [
        el("td", { class: "outcome", "data-label": of.trim() }, cell ? outcomeBadge(cell[OUTCOME]) : dash(), ended),
        figure("steps", cell && cell[STEPS] !== null ? count(cell[STEPS]) : null),
        ...(this.measured ? [figure("recall", cell?.[RECALL_SHOWN])] : []),
      ];
    }
  }

  Object.assign(window.lratView, { List });
})();
