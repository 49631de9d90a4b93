/* The page of one question: what was asked, how it came out, the evidence, and the conversations side by side. */
"use strict";

(() => {
  const { el, span, p, div, count, outcomeBadge, statusWords, letterBadge, clipped } = window.lratView;
  const { parting, Conversation } = window.lratView;

  /**
   * Draw the page of a question.
   *
   * @param {object} index of the view
   * @param {object} entry its line in the list
   * @param {string[]} letters of the runs to show, in order
   * @param {Map<string, object>} values letter → trajectory; a run that has none is not there
   * @param {object} around where it stands: {at, all, back, previous, next, toggle}, addresses within the page
   */
  const questionPage = (index, entry, letters, values, around) => {
    const runs = index.runs.filter((run) => letters.includes(run.letter));
    const there = runs.filter((run) => values.has(run.letter));
    const valueOf = (run) => values.get(run.letter);
    const part = there.length > 1 ? parting(there.map(valueOf), there.map((run) => run.letter)) : null;
    const conversations = new Map(
      there.map((run, place) => {
        const parts = part?.steps[place] ?? null;
        return [run.letter, new Conversation(valueOf(run), index.runs.indexOf(run), parts)];
      }),
    );
    const known = there.length ? valueOf(there[0]) : null;
    const several = index.runs.length > 1;
    const wording = known?.question ?? entry.text ?? "(the wording is not at hand)";
    return [
      bar(index, entry, letters, around),
      p("eyebrow", span("mono", entry.qid), index.repeats > 1 && ` · repeat ${entry.repeat + 1}`),
      el("h1", { class: "question-text", tabindex: -1 }, wording),
      answers(known),
      el(
        "div",
        { class: "verdicts columns", "data-columns": runs.length },
        ...runs.map((run) => outcome(index, entry, run, valueOf(run), several)),
      ),
      evidence(known, there, conversations, several),
      there.length > 1 && partingNote(part, there.length),
      el("h2", { class: runs.length ? null : "visually-hidden" }, "What happened"),
      talk(there, conversations, several),
    ];
  };

  const bar = (index, entry, letters, around) => {
    const step = (address, words, key) =>
      address
        ? el("a", { class: "button", href: address, "data-key": key }, words)
        : el("span", { class: "button off", "aria-disabled": "true" }, words);
    const chips = index.runs.map((run) =>
      el(
        "button",
        {
          type: "button",
          class: "chip",
          "aria-pressed": String(letters.includes(run.letter)),
          disabled: (letters.length === 1 && letters[0] === run.letter) || !entry.cells[index.runs.indexOf(run)],
          title: `${run.agent} over ${run.retriever}`,
          on: { click: () => around.toggle(run.letter) },
        },
        letterBadge(run.letter),
        ` ${run.retriever}`,
      ),
    );
    return el(
      "nav",
      { class: "bar", "aria-label": "Questions" },
      el("a", { class: "button", href: around.back, "data-key": "back" }, "← All questions"),
      span(
        "bar-steps",
        step(around.previous, "Previous", "previous"),
        span("muted small", around.at === null ? "" : `${count(around.at + 1)} of ${count(around.all)}`),
        step(around.next, "Next", "next"),
      ),
      index.runs.length > 1 && el("span", { class: "chips", role: "group", "aria-label": "Runs shown" }, ...chips),
    );
  };

  const answers = (value) => {
    if (!value?.answers?.length) return null;
    return p("accepted", span("muted", "Accepted "), ...value.answers.map((one) => span("accepted-answer", one)));
  };

  const outcome = (index, entry, run, value, several) => {
    const cell = entry.cells[index.runs.indexOf(run)];
    const named = several ? [letterBadge(run.letter), ` ${run.agent} · `] : [`${run.agent} over `];
    const title = el("h2", { class: "card-title" }, named, run.retriever);
    const figures = (value?.usage ?? []).map(([label, figure]) => el("span", null, el("b", null, figure), ` ${label}`));
    if (!cell) return el("section", { class: "card" }, title, p("muted", "This run does not hold the question."));
    const badges = p("badges", outcomeBadge(cell[0]), span("badge", statusWords(cell[1])));
    if (!value) return el("section", { class: "card" }, title, badges, p("muted", "There is no trajectory yet."));
    return el(
      "section",
      { class: "card" },
      title,
      badges,
      value.error && p("note bad", value.error),
      value.answer ? div("final", clipped(value.answer, { limit: 500 })) : p("muted", "No answer."),
      ...value.verdicts.map(verdict),
      figures.length > 0 && p("usage", ...figures),
    );
  };

  const verdict = ({ judge, counts, outcome: said, extracted, confidence, reply, error }) =>
    div(
      "verdict",
      p(
        "verdict-line",
        span("muted", "Judge "),
        span("mono", judge),
        ` said ${said}`,
        !counts && span("muted", " (another judge’s verdict counts)"),
      ),
      (extracted !== null || confidence !== null) &&
        p(
          "verdict-line",
          extracted !== null && [span("muted", "read the answer as "), span("extracted", extracted)],
          confidence !== null && [span("muted", `${extracted !== null ? ", " : ""}stated confidence `), confidence],
        ),
      error && p("note warn", error),
      reply && el("details", null, el("summary", null, "What the judge said"), div("prose reply", reply)),
    );

  const evidence = (known, there, conversations, several) => {
    const wanted = known ? [...new Set([...(known.evidence ?? []), ...(known.gold ?? [])])] : [];
    if (!wanted.length) return null;
    const rows = wanted.map((docid) => {
      const first = conversations.get(there[0].letter);
      const { title } = first.documents.get(docid) ?? {};
      return el(
        "li",
        null,
        span("hit-title", title || span("mono", docid)),
        ...first.marks(docid),
        title ? span("mono muted small", docid) : null,
        span("fates", ...there.map((run) => fate(conversations.get(run.letter).fate(docid), run, several))),
      );
    });
    const tallies = there.map(({ letter }) => {
      const reached = wanted.filter((docid) => conversations.get(letter).fate(docid).kind !== "missed").length;
      return `${several ? `${letter}: ` : ""}${reached} of ${wanted.length} reached`;
    });
    const summary = el("summary", null, el("h2", null, "Evidence"), span("muted", tallies.join(", ")));
    return el("details", { class: "evidence", open: wanted.length <= 8 }, summary, el("ul", null, ...rows));
  };

  const fate = ({ kind, turn }, run, several) => {
    const words = turn === null ? kind : `${kind} in turn ${turn}`;
    return span(`badge ${kind === "missed" ? "" : "accent"}`, several ? `${run.letter} ` : "", words);
  };

  const partingNote = (part, many) => {
    const note = (...words) => el("p", { class: "note parting", id: "parting-note" }, ...words);
    if (!part) {
      const all = many === 2 ? "Both" : "All";
      return note(`${all} made the same calls, were shown the same documents and answered the same.`);
    }
    const equal = part.calls === 1 ? "1 equal call" : `${count(part.calls)} equal calls`;
    const go = el("button", { type: "button", class: "link", "data-key": "parting" }, "Go there");
    const place = part.calls ? `after ${equal}: ` : "at the first call: ";
    return note(el("b", null, "They part "), place, part.why, ". ", go);
  };

  /** Turn by turn: the first turns side by side, then the second ones, … */
  const talk = (there, conversations, several) => {
    const columns = there.map((run) => ({ run, turns: conversations.get(run.letter).turns() }));
    const longest = Math.max(0, ...columns.map(({ turns }) => turns.length));
    const cells = [];
    for (let at = 0; at < longest; at += 1) {
      for (const { run, turns } of columns) {
        const turn = turns[at] ?? el("section", { class: "turn ended", "aria-hidden": "true" });
        if (several && turns[at]) turn.querySelector(".turn-head").prepend(letterBadge(run.letter));
        cells.push(turn);
      }
    }
    return el("div", { class: "talk columns", "data-columns": there.length }, ...cells);
  };

  Object.assign(window.lratView, { questionPage });
})();
