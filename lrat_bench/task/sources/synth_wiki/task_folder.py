"""The task folder of a generated world."""

from __future__ import annotations

import json
from pathlib import Path

from lrat_bench.progress import Progress
from lrat_bench.task.sources.synth_wiki.definition import WorldDefinition
from lrat_bench.task.sources.synth_wiki.questions import ask
from lrat_bench.task.sources.synth_wiki.settings import Settings
from lrat_bench.task.sources.synth_wiki.world import World

__all__ = ["world_of", "write_task"]


def world_of(settings: Settings) -> World:
    """The world that the settings describe."""
    return World(_definition(settings.world), settings.seed, settings.documents)


def write_task(settings: Settings, folder: Path, progress: Progress) -> None:
    """Write `questions.jsonl`, `qrels.trec`, `qrels.gold.trec` and `corpus.jsonl` into `folder`.

    Evidence is the article of every entity of a question's tree, gold that of the answer.

    Raises:
        UsageError: the world is too small for so many questions.
    """
    world = world_of(settings)
    # Questions first: what may be refused is refused before a large corpus is written.
    with (
        (folder / "questions.jsonl").open("w", encoding="utf-8", newline="\n") as questions,
        (folder / "qrels.trec").open("w", encoding="utf-8", newline="\n") as evidence,
        (folder / "qrels.gold.trec").open("w", encoding="utf-8", newline="\n") as gold,
    ):
        for question in ask(world, train=settings.train, test=settings.test):
            answers = [world.entity(question.tree.entity).name]
            record = {"qid": question.qid, "question": question.text, "answers": answers, "split": question.split}
            questions.write(json.dumps(record, ensure_ascii=False) + "\n")
            gold.write(f"{question.qid} 0 {world.docid(question.tree.entity)} 1\n")
            for docid in sorted(world.docid(node.entity) for node in question.tree.nodes()):
                evidence.write(f"{question.qid} 0 {docid} 1\n")
    with (folder / "corpus.jsonl").open("w", encoding="utf-8", newline="\n") as corpus:
        for done, document in enumerate(world):
            if done % 1000 == 0:
                progress("writing articles", done, settings.documents)
            corpus.write(json.dumps(document._asdict(), ensure_ascii=False) + "\n")
    progress("writing articles", settings.documents, settings.documents)


def _definition(world: str) -> WorldDefinition:
    if world == "in-domain":
        from lrat_bench.task.sources.synth_wiki.in_domain import IN_DOMAIN

        return IN_DOMAIN
    from lrat_bench.task.sources.synth_wiki.out_of_domain import OUT_OF_DOMAIN

    return OUT_OF_DOMAIN
