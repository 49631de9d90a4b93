"""What maintainers check, the tiers that it gives, and how a tier is lost."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from submissions import Newcomer, change, change_records

import lrat_bench
from lrat_bench.api.leaderboard import attest_checked, verify_submission
from lrat_bench.errors import CheckFailed, UsageError
from lrat_bench.leaderboard.attestations import TIERS, tier_of, tiers_of
from lrat_bench.leaderboard.prepare import prepare, read_entered
from lrat_bench.leaderboard.tracks import Tracks
from lrat_bench.leaderboard.validate import validate


def tier(folder: Path, tracks: Tracks) -> str:
    found = validate(folder, tracks, attested=True)
    assert found.findings == []
    return tier_of(found.attestations, found.digest)[0]


def test_answers_are_judged_again_and_queries_searched_again(submission: Path, tracks: Tracks) -> None:
    assert tier(submission, tracks) == "self-reported"
    for words, wanted in (({"judge": True}, "recomputed"), ({"retriever": "bm25"}, "retrieval-verified")):
        found, checked = verify_submission(submission, **words)
        assert [(one.holds, one.agreed, one.differs) for one in checked] == [(True, one.of, ()) for one in checked]
        assert attest_checked(found, checked, by="A maintainer").tier == wanted
        assert tier(submission, tracks) == wanted
    kept = json.loads((submission / "attestations.json").read_text())["attestations"]
    assert [one["tier"] for one in kept] == ["recomputed", "retrieval-verified"]
    held = validate(submission, tracks, attested=True)
    assert tiers_of(held.attestations, held.digest) == ("recomputed", "retrieval-verified")
    assert "20 of 20 answers to synth-wiki" in kept[0]["evidence"]


def test_a_run_of_ones_own_verifies_it_and_not_that_of_the_submission(
    submission: Path, newcomer: Newcomer, tracks: Tracks, tmp_path: Path
) -> None:
    theirs = [newcomer.home / "runs" / name for name in ("in-domain", "out-of-domain")]
    with pytest.raises(UsageError, match="in-domain took as long as the submission's own run on 20 of its questions"):
        verify_submission(submission, runs=theirs)
    runs = [tmp_path / task for task in ("synth-wiki", "synth-wiki-ood")]
    for out in runs:
        lrat_bench.run(out.name, retriever="bm25", limit=20, out=out, set={"task.documents": 1000})
    found, checked = verify_submission(submission, runs=runs)
    attest_checked(found, checked, by="A maintainer")
    assert tier(submission, tracks) == "verified"
    with pytest.raises(UsageError, match="there is no run on synth-wiki-ood@default"):
        verify_submission(submission, runs=runs[:1])


def test_a_run_with_another_retriever_is_none(submission: Path, others: Path, newcomer: Newcomer) -> None:
    runs = [newcomer.home / "runs" / f"oracle-{task}" for task in ("synth-wiki", "synth-wiki-ood")]
    with pytest.raises(UsageError, match="has another retriever than the submission's"):
        verify_submission(submission, runs=runs)
    with pytest.raises(UsageError, match="is not the submission's"):
        verify_submission(submission, retriever="bm25", set={"retriever.k1": 1.7})


def test_who_changes_a_submission_loses_its_tier(submission: Path, tracks: Tracks) -> None:
    found, checked = verify_submission(submission, judge=True)
    attest_checked(found, checked, by="A maintainer")
    assert tier(submission, tracks) == "recomputed"
    change(submission, lambda content: content["entry"].update(id="somebody else's") and None)
    assert tier(submission, tracks) == "self-reported"


def test_invented_verdicts_are_found_by_judging_again(newcomer: Newcomer, tmp_path: Path, tracks: Tracks) -> None:
    folder = invented(newcomer, tmp_path, tracks, verdicts)
    found, checked = verify_submission(folder, judge=True)
    assert not checked[0].holds
    assert checked[0].agreed < checked[0].of
    assert "correct, now incorrect" in checked[0].differs[0]
    with pytest.raises(CheckFailed, match="nothing is attested"):
        attest_checked(found, checked, by="A maintainer")
    assert tier(folder, tracks) == "self-reported"


def test_invented_hits_are_found_by_searching_again(newcomer: Newcomer, tmp_path: Path, tracks: Tracks) -> None:
    folder = invented(newcomer, tmp_path, tracks, hits)
    _, checked = verify_submission(folder, retriever="bm25")
    assert not checked[0].holds, checked[0].evidence
    assert re.search(r"search 1: rank \d+ was .* and is", checked[0].differs[0])


@pytest.mark.parametrize("word", ["repeated", "few", "read"])
def test_what_is_invented_beside_true_lists_is_found_too(
    newcomer: Newcomer, tmp_path: Path, tracks: Tracks, word: str
) -> None:
    folder = invented(newcomer, tmp_path, tracks, {"repeated": repeated, "few": few, "read": documents}[word])
    _, checked = verify_submission(folder, retriever="bm25")
    assert not checked[0].holds, checked[0].evidence
    said = {"repeated": r"search \d+: rank", "few": r"rank \d+ was", "read": "'made-up' is no document of synth-wiki"}
    assert re.search(said[word], checked[0].differs[0])


def test_what_no_replay_can_tell_is_said(submission: Path) -> None:
    _, checked = verify_submission(submission, retriever="bm25")
    said = r"of (\d+) documents read, \1 are in the corpus, and whether the agent read them was not verified"
    assert re.search(said, checked[0].evidence)
    assert re.search(r"of evidence and gold among them (\d+) of \1", checked[0].evidence)


def test_one_check_at_a_time_of_what_holds(submission: Path) -> None:
    with pytest.raises(UsageError, match="give one of --judge, --retriever and --run"):
        verify_submission(submission, judge=True, retriever="bm25")
    (submission / "more.txt").touch()
    with pytest.raises(CheckFailed, match="does not hold"):
        verify_submission(submission, judge=True)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("2999-01-01", "recomputed was attested on 2999-01-01, which is yet to come"),
        ("2001-01-01", "recomputed was attested on 2001-01-01, before what it is of was prepared"),
        ("2001-02-30", "attestations.when cannot be '2001-02-30': is no day"),
    ],
)
def test_an_attestation_is_of_a_day_that_it_can_be_of(when: str, said: str, submission: Path, tracks: Tracks) -> None:
    found, checked = verify_submission(submission, judge=True)
    attest_checked(found, checked, by="A maintainer")
    file = submission / "attestations.json"
    content = json.loads(file.read_text())
    content["attestations"][0]["when"] = when
    file.write_text(json.dumps(content))
    (finding,) = validate(submission, tracks, attested=True).findings
    assert str(finding) == f"attestations.json: {said}"


def test_the_highest_tier_counts() -> None:
    assert list(TIERS) == ["self-reported", "recomputed", "retrieval-verified", "verified"]
    assert tier_of((), "0" * 64) == ("self-reported", ())
    assert tiers_of((), "0" * 64) == ("self-reported",)


def verdicts(records: list[Any]) -> None:
    for record in records:
        if record["verdict"]:
            record["outcome"] = record["verdict"]["outcome"] = "correct"


def hits(records: list[Any]) -> None:
    for record in records:
        record["searches"][0]["hits"] = [*record["evidence"], "0001"]


def repeated(records: list[Any]) -> None:
    """The first query again in capitals, which a session takes for the same, with another list."""
    for record in records:
        first = record["searches"][0]
        record["searches"].append(first | {"query": first["query"].upper(), "hits": record["evidence"]})


def few(records: list[Any]) -> None:
    """Less than one document in twenty, and each of them evidence."""
    room = sum(len(one["hits"]) for record in records for one in record["searches"]) // 40
    for record in records:
        hits = record["searches"][-1]["hits"]
        lacking = [docid for docid in record["evidence"] if docid not in hits]
        if lacking and hits and room:
            room -= 1
            hits[-1] = lacking[0]


def documents(records: list[Any]) -> None:
    records[0]["browses"].append({"turn": None, "call": 0, "docid": "made-up", "found": True, "failed": False})


def invented(newcomer: Newcomer, place: Path, tracks: Tracks, how: Any) -> Path:
    """A submission whose records were made up and whose numbers agree with them."""
    folder = place / "too-good"
    runs = [newcomer.home / "runs" / name for name in ("in-domain", "out-of-domain")]
    entered = read_entered(newcomer.home / "entry.yaml")
    prepare(runs, track="demo", out=folder, entered=entered, tracks=tracks)
    for task in ("synth-wiki", "synth-wiki-ood"):
        change_records(folder, task, how)
    found = validate(folder, tracks)
    assert found.findings
    assert found.numbers

    def agree(content: dict[str, Any]) -> None:
        for run in content["runs"]:
            own = found.numbers[run["task"]]
            run["metrics"] = [metric.model_dump(mode="json") for metric in own.metrics]
            run["outcomes"] = dict(own.outcomes)

    change(folder, agree)
    assert validate(folder, tracks).findings == []
    return folder
