"""Several flywheels of the same kind (other seeds of a generated task), pooled: what did training bring?

For every task and arm: the measures of the base and of the trained model over all questions of all folders, and the
paired difference with its 95 % interval (bootstrap over questions). With --between, each arm is held against the first
one, too.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

from lrat_bench.lrat.flywheel.place import BASE
from lrat_bench.lrat.flywheel.table import Entry, FlywheelTable, read_table, rows_in
from lrat_bench.runs.run import Run
from lrat_bench.score.paired import Difference, paired_rows
from lrat_bench.score.rows import Row

SHOWN = ("success_rate", "evidence_recall", "steps")


def rows_of(folder: Path, entry: Entry) -> list[Row]:
    """The rows of one entry's run."""
    return rows_in(Run(folder / entry.run))


def mean(rows: list[list[Row]], measure: str) -> float:
    """The mean of a measure over all rows that have a value; a missing answer counts as no success."""
    values = [row.values[measure] for one in rows for row in one]
    if measure == "success_rate":
        return fmean(value or 0.0 for value in values)
    return fmean(value for value in values if value is not None)


def written(found: Difference) -> str:
    """A difference with its interval."""
    if found.value is None or found.low is None or found.high is None:
        return "–"
    return f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"


def main() -> None:
    """Read the folders and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, help="folders of `lrat-bench flywheel`")
    parser.add_argument("--between", action="store_true", help="hold the arms against the first one")
    arguments = parser.parse_args()
    tables: list[tuple[Path, FlywheelTable]] = [(folder, read_table(folder)) for folder in arguments.folders]
    found: dict[tuple[str, int, str], list[list[Row]]] = defaultdict(list)
    for folder, table in tables:
        for entry in table.entries:
            found[entry.task, entry.iteration, entry.arm].append(rows_of(folder, entry))
    whole = {key: rows for key, rows in found.items() if len(rows) == len(tables)}
    if left_out := found.keys() - whole.keys():
        print(f"left out, not in every folder yet: {', '.join(' '.join(map(str, key)) for key in sorted(left_out))}\n")
    print(f"{len(tables)} flywheels\n")
    print(f"| task | iteration | arm | n | {' | '.join(f'{name} | difference [95 %]' for name in SHOWN)} |")
    print(f"| --- | --- | --- | ---: |{' ---: | ---: |' * len(SHOWN)}")
    for (task, iteration, arm), rows in sorted(whole.items(), key=lambda item: (item[0][0], item[0][1])):
        base = whole[task, 0, BASE]
        cells = [task, str(iteration), arm, str(sum(map(len, rows)))]
        for name in SHOWN:
            change = "" if arm == BASE else written(paired_rows(list(zip(rows, base, strict=True)), name))
            cells += [f"{mean(rows, name):.3f}", change]
        print(f"| {' | '.join(cells)} |")
    if arguments.between:
        between(whole)


def between(found: Mapping[tuple[str, int, str], list[list[Row]]]) -> None:
    """Each arm against the first one of its task and iteration."""
    print(
        "\n| task | iteration | arm | minus | success | evidence recall | steps |\n| --- | --- | --- | --- |"
        + " ---: |" * 3
    )
    first: dict[tuple[str, int], str] = {}
    for (task, iteration, arm), rows in found.items():
        lead = first.setdefault((task, iteration), arm)
        if arm in (lead, BASE):
            continue
        pairs = list(zip(found[task, iteration, lead], rows, strict=True))
        cells = [written(paired_rows(pairs, name)) for name in SHOWN]
        print(f"| {task} | {iteration} | {lead} | {arm} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
