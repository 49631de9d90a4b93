/* Where trajectories on one question part: the first call, list of hits or answer that is not the same in all. */
"use strict";

(() => {
  const plain = (text) => text.trim().split(/\s+/).join(" ").toLowerCase();

  /** What an agent did, in order: searches, browses, answers. */
  const actions = (conversation) =>
    conversation.turns.flatMap(({ turn, steps }) =>
      steps
        .filter((step) => step.at !== undefined)
        .map((step) => ({
          step,
          turn,
          asked: [step.kind, plain(step.query ?? step.docid ?? step.text)].join(" "),
          shown: (step.hits ?? []).filter(([, , , shown]) => shown).map(([docid]) => docid),
        })),
    );

  const same = (one, other) =>
    one.asked === other.asked &&
    one.shown.length === other.shown.length &&
    one.shown.every((docid, at) => docid === other.shown[at]);

  const said = (action) => {
    if (!action) return "had ended";
    const { step } = action;
    if (step.kind === "search") return `searched “${step.query}”`;
    return step.kind === "browse" ? `read ${step.docid}` : "answered";
  };

  /**
   * Where they part; null where they do not.
   *
   * @returns {{why: string, calls: number, steps: (object|null)[]}} why, in words; how many calls before it were the
   *   same; the step of each, or null where it had ended.
   */
  const parting = (conversations, letters) => {
    const lists = conversations.map(actions);
    const longest = Math.max(...lists.map((list) => list.length));
    for (let at = 0; at < longest; at += 1) {
      const here = lists.map((list) => list[at]);
      if (here.every((action) => action && same(action, here[0]))) continue;
      const asked = new Set(here.map((action) => action?.asked));
      const answered = here.every((action) => action?.step.kind === "answer");
      let why = here.map((action, place) => `${letters[place]} ${said(action)}`).join("; ");
      if (asked.size === 1) why = "the same query found other documents";
      else if (answered) why = "they answered differently";
      return { why, calls: at, steps: here.map((action) => action?.step ?? null) };
    }
    return null;
  };

  Object.assign(window.lratView, { parting });
})();
