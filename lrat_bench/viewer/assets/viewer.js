/* The page as a whole: what the address says is shown, and keys do what the help says. */
"use strict";

(() => {
  const view = window.lratView;
  const { el, span, p, div, load, numbered, List, questionPage, letterBadge } = view;
  const get = (id) => document.getElementById(id);
  const title = document.title;

  let index;
  let list;
  let listAddress = "#/";
  let open = null; // {entry, letters} of the question that is shown
  let request = 0;

  // Addresses: #/ and #/?q=…&page=… are the list, #/A,B/QUESTION/REPEAT a question.

  view.address = (letters, { qid, repeat }) => `#/${letters.join(",")}/${encodeURIComponent(qid)}/${repeat}`;

  const addressOfList = () => {
    const said = Object.entries(list.state).filter(([name, value]) => value !== List.defaults()[name]);
    return said.length ? `#/?${new URLSearchParams(said)}` : "#/";
  };

  const decoded = (text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };

  const route = () => {
    const { hash } = window.location;
    if (hash && !hash.startsWith("#/")) return null; // a place within the page, as the skip link's
    const address = hash.slice(2);
    if (!address || address.startsWith("?")) {
      return { state: Object.fromEntries(new URLSearchParams(address.slice(1))) };
    }
    const [letters, qid, repeat] = address.split("/");
    return { letters: letters.split(","), qid: decoded(qid ?? ""), repeat: Number(repeat ?? 0) };
  };

  const show = async () => {
    const wanted = route() ?? (open || !get("overview").hidden ? null : { state: {} });
    if (!wanted) return undefined;
    request += 1;
    trouble(null);
    if (wanted.state) return showList(wanted.state);
    const entry = list.entries.find((one) => one.qid === wanted.qid && one.repeat === wanted.repeat);
    const letters = index.runs.map((run) => run.letter).filter((letter) => wanted.letters.includes(letter));
    if (!entry || !letters.length) {
      showList({});
      const what = entry ? "run" : "question";
      return trouble(`There is no ${what} here that the address names: ${decoded(window.location.hash)}`);
    }
    return showQuestion(entry, letters);
  };

  const showList = (state) => {
    const from = open;
    open = null;
    document.title = title;
    get("question").hidden = true;
    get("question").replaceChildren();
    get("overview").hidden = false;
    get("site-title").hidden = true; // the heading says it
    list.restore(state);
    listAddress = addressOfList();
    // Back from a question: where one left off.
    const end = from && view.address([], from.entry).slice("#/".length);
    const row = from && [...list.table.querySelectorAll("a")].find((link) => link.hash.endsWith(end));
    row?.focus();
    row?.scrollIntoView({ block: "center" });
  };

  const showQuestion = async (entry, letters) => {
    const mine = request;
    const shards = letters.map((letter) => {
      const cell = entry.cells[index.runs.findIndex((run) => run.letter === letter)];
      return cell && cell[5] !== null ? load(numbered(letter.toLowerCase(), cell[5])) : null;
    });
    let found;
    try {
      found = await Promise.all(shards);
    } catch (problem) {
      if (mine === request) trouble(problem.message);
      return;
    }
    if (mine !== request) return; // somebody went on meanwhile
    const values = new Map();
    found.forEach((shard, place) => {
      const value = shard?.find((one) => one.qid === entry.qid && one.repeat === entry.repeat);
      if (value) values.set(letters[place], value);
    });
    open = { entry, letters };
    const at = list.shown.indexOf(entry);
    const beside = (by) => {
      const other = at < 0 ? null : list.shown[at + by];
      return other ? view.address(kept(other, letters), other) : null;
    };
    const around = {
      at: at < 0 ? null : at,
      all: list.shown.length,
      back: listAddress,
      previous: beside(-1),
      next: beside(1),
      toggle,
    };
    get("question").replaceChildren(...questionPage(index, entry, letters, values, around).filter(Boolean));
    get("question").dataset.columns = letters.length;
    get("question").hidden = false;
    get("site-title").hidden = false;
    get("overview").hidden = true;
    document.title = `${entry.qid} · ${title}`;
    get("question").querySelector("[data-key=parting]")?.addEventListener("click", goToParting);
    window.scrollTo(0, 0);
    get("question").querySelector("h1").focus({ preventScroll: true });
  };

  /** The same runs beside another question, where they have it. */
  const kept = (entry, letters) => {
    const there = letters.filter((letter) => entry.cells[index.runs.findIndex((run) => run.letter === letter)]);
    return there.length ? there : list.letters(entry);
  };

  const toggle = (letter) => {
    const now = new Set(open.letters);
    if (now.has(letter)) now.delete(letter);
    else now.add(letter);
    const letters = index.runs.map((run) => run.letter).filter((one) => now.has(one));
    if (letters.length) window.location.hash = view.address(letters, open.entry);
  };

  const goToParting = () => {
    const step = get("question").querySelector(".parts");
    if (!step) return;
    step.tabIndex = -1;
    step.focus({ preventScroll: true });
    step.scrollIntoView({ block: "center" });
  };

  const trouble = (message) => {
    get("trouble").hidden = message === null;
    get("trouble").textContent = message ?? "";
  };

  // What was run.

  const runCard = (run) => {
    const several = index.runs.length > 1;
    const unresolved = run.outcomes.ungraded + run.outcomes.errored;
    const facts = run.facts.flatMap(([label, value]) => [el("dt", null, label), el("dd", null, value)]);
    const score = el("code", null, "lrat-bench score");
    const letter = several && [letterBadge(run.letter), " "];
    const metrics = run.metrics.map(([label, value, interval, n]) =>
      el(
        "div",
        { class: "metric", title: `n = ${n}` },
        span("metric-label", label),
        el("b", null, value),
        span("interval", interval),
      ),
    );
    return el(
      "section",
      { class: "card run" },
      el("h2", { class: "card-title" }, letter, run.agent, span("muted", " over "), run.retriever),
      metrics.length > 0 && div("metrics", ...metrics),
      !run.scored && p("note warn", "Not scored yet: outcomes are counted from what is there. See ", score, "."),
      unresolved > 0 && p("note warn", `${view.count(unresolved)} not resolved: ungraded, or infrastructure failed.`),
      el("details", null, el("summary", null, "What was run"), el("dl", { class: "facts" }, ...facts)),
    );
  };

  // Keys.

  const follow = (key) => {
    const link = get("question").querySelector(`a[data-key="${key}"]`);
    if (link) window.location.hash = link.hash;
  };

  const move = (by) => {
    const links = [...list.table.querySelectorAll("tbody a")];
    const at = links.indexOf(document.activeElement);
    const next = links[at < 0 ? (by > 0 ? 0 : links.length - 1) : at + by];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  };

  const help = (shown) => {
    if (shown) get("help").showModal();
    else get("help").close();
  };

  const inQuestion = {
    j: () => follow("next"),
    k: () => follow("previous"),
    ArrowRight: () => follow("next"),
    ArrowLeft: () => follow("previous"),
    Escape: () => follow("back"),
    p: goToParting,
  };
  const inList = {
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    ArrowRight: () => list.turn(1),
    ArrowLeft: () => list.turn(-1),
    Escape: () => document.activeElement.blur(),
  };

  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || get("help").open) return;
    const field = event.target.closest?.("input, select, textarea");
    if (field) {
      if (event.key === "Escape") field.blur();
      return;
    }
    if (event.key === "?") return help(true);
    if (event.key === "/") {
      event.preventDefault();
      if (open) window.location.hash = listAddress;
      // After the list is there.
      return void window.setTimeout(() => get("search").select());
    }
    const act = (open ? inQuestion : inList)[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };

  const start = async () => {
    index = await load("index");
    const parts = await Promise.all(Array.from({ length: index.lists }, (_, number) => load(numbered("list", number))));
    list = new List(index, () => {
      listAddress = addressOfList();
      window.history.replaceState(null, "", listAddress);
    });
    list.fill(parts.flat());
    list.restore({});
    get("runs").append(...index.runs.map(runCard));
    get("missing").hidden = index.missing === null;
    get("missing").textContent = `Shown by ids alone, without questions, evidence and documents: ${index.missing}`;
    get("loading").hidden = true;
    window.addEventListener("hashchange", show);
    document.addEventListener("keydown", onKey);
    get("show-help").addEventListener("click", () => help(true));
    get("hide-help").addEventListener("click", () => help(false));
    await show();
    document.documentElement.dataset.ready = "yes";
  };

  start().catch((problem) => {
    get("loading").hidden = true;
    trouble(problem.message);
  });
})();
