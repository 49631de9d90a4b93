"""`lrat-bench contamination`."""

from __future__ import annotations

from pathlib import Path

import click

from lrat_bench.cli.options import json_option, print_json, set_option, stdout
from lrat_bench.cli.watch import watch

__all__ = ["contamination"]


@click.command()
@click.argument("pairs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PAIRS…")
@click.option("--task", required=True, metavar="NAME|FOLDER", help="What a retriever is to be evaluated on.")
@click.option("--split", help="Of the task; its default one unless given.")
@set_option
@json_option
def contamination(pairs: tuple[Path, ...], task: str, split: str | None, set: tuple[str, ...], json: bool) -> int:
    """What training pairs share with the questions of an evaluation: ids, texts, evidence documents.

    Exit code 1 where a question is shared, in any wording. Evidence that is the positive of a pair is counted beside
    it: over one corpus it is to be expected, and says what the retriever was shown.
    """
    from lrat_bench.errors import UsageError
    from lrat_bench.lrat.contamination import scan
    from lrat_bench.report import numbers
    from lrat_bench.runs.resolve import Settings
    from lrat_bench.task.catalog import load_task

    settings = Settings.parse(set)
    if others := [room for room in settings.to_dict() if room != "task"]:
        raise UsageError(f"contamination takes settings of the task only, got {others[0]}.…")
    with watch() as shown:
        loaded, _ = load_task(task, settings=settings.task, progress=shown.work)
        found = scan(pairs, loaded, split=split)
    if json:
        print_json({**found.model_dump(mode="json"), "clean": found.clean})
        return 0 if found.clean else 1
    from lrat_bench.report.fitting import FittingTable

    table = FittingTable()
    table.name(f"{found.task}, {found.split}, against {numbers.count(found.pairs)} pairs, rejected ones too")
    table.number("questions")
    table.row("pairs were mined on the question itself", numbers.count(found.questions))
    table.row("its text is a pair's query", numbers.count(found.queries))
    table.row("it shares eight words in a row with a query", numbers.count(found.near))
    table.row("a document of its evidence is a pair's positive", numbers.count(found.evidence))
    console = stdout()
    console.print(table)
    for one in found.examples:
        where = f"{one.run}, question {one.pair_question_id}, step {one.step}"
        console.print(f"  {one.how}: {one.question_id}, in {where}", markup=False, style="dim")
    if found.unknown_questions:
        many = numbers.count(found.unknown_questions)
        console.print(f"what {many} pairs were mined on was not compared: their task is not at hand", markup=False)
    if found.other_corpus:
        many = numbers.count(found.other_corpus)
        console.print(f"evidence was not compared for {many} pairs: they are of another corpus", markup=False)
    console.print("clean" if found.clean else "contaminated", markup=False)
    return 0 if found.clean else 1
