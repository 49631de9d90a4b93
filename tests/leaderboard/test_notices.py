"""Notices: what is remarkable about a submission that holds, and quite honest ones have none."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from submissions import Newcomer, change, change_records

from lrat_bench.leaderboard.copies import find_copies
from lrat_bench.leaderboard.notices import notices_on
from lrat_bench.leaderboard.records import RankingRecord, RolloutRecord
from lrat_bench.leaderboard.tracks import Tracks
from lrat_bench.leaderboard.validate import Validated, validate

TASKS = ("synth-wiki", "synth-wiki-ood")


def records_of(folder: Path, task: str = "synth-wiki") -> list[RolloutRecord]:
    lines = (folder / "records" / f"{task}.jsonl").read_text().splitlines()
    return [RolloutRecord.model_validate_json(line) for line in lines]


def checked(tracks: Tracks, *folders: Path) -> list[Validated]:
    found = [validate(folder, tracks) for folder in folders]
    assert [one.findings for one in found] == [[] for _ in folders]
    find_copies(found)
    return found


def test_an_honest_retriever_has_none_and_one_made_of_judgements_has(others: Path, tracks: Tracks) -> None:
    found = {path.name: validate(path, tracks) for path in others.iterdir()}
    assert found["my-bm25"].notices == found["the-none"].notices == []
    assert found["the-oracle"].holds
    assert found["the-oracle"].notices == [
        f"{task}: the first list of 20 of 20 questions holds relevant documents before any other, as a retriever does "
        "that is made from the judgements"
        for task in TASKS
    ]


def test_an_oracle_that_hides_behind_other_documents_is_seen_by_what_it_finds(others: Path) -> None:
    def hidden(record: RolloutRecord) -> RolloutRecord:
        searches = tuple(
            one.model_copy(update={"hits": tuple(f"filler-{n}" for n in range(3)) + one.hits})
            for one in record.searches
        )
        return record.model_copy(update={"searches": searches})

    (notice,) = notices_on("synth-wiki", [hidden(record) for record in records_of(others / "the-oracle")])
    assert "relevant documents, as those of a retriever do that is made from the judgements" in notice


def test_rankings_of_a_retriever_alone_are_looked_at_too() -> None:
    draw = random.Random(0)
    every = [str(number) for number in range(500)]

    def ranking(qid: int, *, knows: bool) -> RankingRecord:
        evidence = tuple(draw.sample(every, 3))
        rest = tuple(draw.sample([one for one in every if one not in evidence], 50))
        return RankingRecord(
            question_id=str(qid),
            hits=(*evidence, *rest) if knows else (*rest, *evidence[:2]),
            evidence=evidence,
            gold=None,
        )

    assert list(notices_on("a", [ranking(qid, knows=False) for qid in range(50)])) == []
    assert len(list(notices_on("a", [ranking(qid, knows=True) for qid in range(50)]))) == 1
    assert list(notices_on("a", [ranking(qid, knows=True) for qid in range(9)])) == [], "nine may be chance"


def test_a_single_relevant_document_that_comes_first_is_nothing_remarkable() -> None:
    records = [RankingRecord(question_id=str(qid), hits=("a",), evidence=("a",), gold=None) for qid in range(50)]
    assert list(notices_on("a", records)) == []
    unjudged = [one.model_copy(update={"evidence": None}) for one in records]
    assert list(notices_on("a", unjudged)) == []


def test_evidence_that_was_read_though_no_list_showed_it_is_told(newcomer: Newcomer) -> None:
    records = records_of(newcomer.submission)
    assert list(notices_on("synth-wiki", records)) == []
    blind = [record.model_copy(update={"searches": ()}) for record in records]
    (notice,) = notices_on("synth-wiki", blind)
    assert notice.endswith("relevant documents that were read stand in no list that was logged")


LATER = 0.25


@pytest.fixture
def puppet(submission: Path, tracks: Tracks) -> Path:
    """The submission once more, with another answer and another trajectory for each question."""
    folder = submission.parent / "a-puppet"
    shutil.copytree(submission, folder)
    change(folder, lambda content: content.update(name="a-puppet"))

    def touch_up(records: list[Any]) -> None:
        for record in records:
            record["trajectory"] = record["trajectory"][::-1]
            record["searches"][0]["query"] += " "
            record["seconds"] += LATER

    def slower(content: dict[str, Any]) -> None:
        for run in content["runs"]:
            (metric,) = (one for one in run["metrics"] if one["name"] == "seconds")
            metric |= {key: metric[key] + LATER for key in ("value", "low", "high")}

    for task in TASKS:
        change_records(folder, task, touch_up)
    change(folder, slower)
    return folder


def test_lists_that_are_anothers_are_told_where_the_records_were_touched_up(
    submission: Path, puppet: Path, tracks: Tracks
) -> None:
    for one, other in zip(checked(tracks, submission, puppet), ("a-puppet", "my-bm25"), strict=True):
        assert one.holds
        (notice,) = one.notices
        assert notice.endswith(f"different lists begin with the same documents as in '{other}'")


def test_a_name_that_reads_like_anothers_is_told_where_another_answers_for_it(others: Path, tracks: Tracks) -> None:
    def called(label: str, reach: str) -> list[str]:
        folder = others.parent / "named"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(others, folder)
        change(folder / "the-none", lambda content: content["entry"].update(id=label) and None)
        change(folder / "the-none", lambda content: content["contact"].update(reach=reach) and None)
        return checked(tracks, folder / "my-bm25", folder / "the-none")[1].notices

    told = ["it is called as 'my-bm25' is, and another contact answers for it"]
    assert called("BM25 (Lucene)", "me@example.org") == told
    assert called("bm-25 Lucene", "me@example.org") == told
    assert called("ВМ25 (Lucene)", "me@example.org") == told, "of Cyrillic letters"
    assert called("BM25 (Lucene)", "https://example.org/newcomer") == []
    assert called("None", "me@example.org") == []
