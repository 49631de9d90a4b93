/*
 * Tables that sort and filter. Without this script they are plain tables.
 *
 *   <div class="filters" data-controls="board" hidden>
 *     <label>Search <input type="search" data-filter></label>
 *     <label>Agent <select data-facet="agent"><option value="">all</option></select></label>
 *     <span data-count role="status"></span>
 *   </div>
 *   <table id="board" data-sortable>
 *     <thead><tr><th scope="col">Entry</th> <th scope="col" class="num">Success</th> <th data-unsortable>…</th></tr>
 *     </thead>
 *     <tbody><tr data-facet-agent="heuristic"><td>bm25</td> <td class="num" data-value="0.47">47%</td> <td>…</td></tr>
 *     </tbody>
 *   </table>
 *
 * A column sorts by `data-value` of its cells, else by their text; as numbers where all of them are, largest first. A
 * cell with an empty `data-value` has no value and is last either way. A row is shown while its text holds every word
 * searched for and its `data-facet-NAME`, or a line of it, equals what each select says; a select with one option only
 * gets the values that there are. `<tr data-fixed>` stays at the end and is not sorted.
 */
"use strict";

(() => {
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  const valueOf = (row, column) => {
    const cell = row.cells[column];
    if (!cell) return "";
    return (cell.dataset.value ?? cell.textContent).trim();
  };

  const compareIn = (rows, column, descending) => {
    const numeric = isNumeric(rows, column);
    const sign = descending ? -1 : 1;
    return (one, other) => {
      const [a, b] = [valueOf(one, column), valueOf(other, column)];
      if (a === "" || b === "") return (a === "") - (b === "");
      return sign * (numeric ? Number(a) - Number(b) : collator.compare(a, b));
    };
  };

  const isNumeric = (rows, column) =>
    rows.every((row) => {
      const value = valueOf(row, column);
      return value === "" || Number.isFinite(Number(value));
    });

  const enhance = (table) => {
    const body = table.tBodies[0];
    const heads = [...(table.tHead?.rows[0]?.cells ?? [])];
    if (!body || !heads.length) return;
    const rows = [...body.rows].filter((row) => row.dataset.fixed === undefined);
    const fixed = [...body.rows].filter((row) => row.dataset.fixed !== undefined);

    heads.forEach((head, column) => {
      if (head.dataset.unsortable !== undefined) return;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const was = head.getAttribute("aria-sort");
        const largestFirst = isNumeric(rows, column) && head.dataset.first !== "ascending";
        const next = was === null ? largestFirst : was === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", next ? "descending" : "ascending");
        rows.sort(compareIn(rows, column, next));
        body.append(...rows, ...fixed);
      });
    });

    const controls = [...document.querySelectorAll("[data-controls]")].find((one) => one.dataset.controls === table.id);
    if (table.id && controls) filter(table, body, rows, heads.length, controls);
  };

  const filter = (table, body, rows, columns, controls) => {
    const search = controls.querySelector("[data-filter]");
    const selects = [...controls.querySelectorAll("select[data-facet]")];
    const count = controls.querySelector("[data-count]");
    const textOf = (row) => {
      const searched = row.cloneNode(true);
      searched.querySelectorAll("[data-unsearched]").forEach((one) => one.remove());
      return searched.textContent.toLowerCase();
    };
    const texts = new Map(rows.map((row) => [row, textOf(row)]));
    const facetsOf = (row, name) => (row.getAttribute(`data-facet-${name}`) ?? "").split("\n");
    const told = (number) => `${number} ${number === 1 ? "row" : "rows"}`;

    const empty = document.createElement("tr");
    empty.className = "empty";
    const cell = document.createElement("td");
    cell.colSpan = columns;
    cell.textContent = "Nothing fits these filters.";
    empty.append(cell);

    for (const select of selects) {
      if (select.options.length > 1) continue;
      const values = new Set(rows.flatMap((row) => facetsOf(row, select.dataset.facet)).filter((value) => value !== ""));
      for (const value of [...values].sort(collator.compare)) select.add(new Option(value, value));
    }

    const apply = () => {
      const words = (search?.value ?? "").toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const fits =
          words.every((word) => texts.get(row).includes(word)) &&
          selects.every((select) => !select.value || facetsOf(row, select.dataset.facet).includes(select.value));
        row.hidden = !fits;
        shown += fits;
      }
      if (count) count.textContent = shown === rows.length ? told(shown) : `${shown} of ${told(rows.length)}`;
      if (shown || !rows.length) empty.remove();
      else body.append(empty);
    };

    search?.addEventListener("input", apply);
    selects.forEach((select) => select.addEventListener("change", apply));
    controls.hidden = false;
    apply();
  };

  document.querySelectorAll("table[data-sortable]").forEach(enhance);
})();
