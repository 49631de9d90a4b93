"""An entry is on the board once, whoever sends it, under whatever name, and however its records were touched up."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from submissions import change, change_records

from lrat_bench.leaderboard.attestations import attest
from lrat_bench.leaderboard.copies import find_copies
from lrat_bench.leaderboard.tracks import Tracks
from lrat_bench.leaderboard.validate import Validated, validate

TASKS = ("synth-wiki", "synth-wiki-ood")


def copy_of(submission: Path, name: str) -> Path:
    folder = submission.parent / name
    shutil.copytree(submission, folder)
    change(folder, lambda content: content.update(name=name))
    return folder


def found(tracks: Tracks, *folders: Path) -> list[Validated]:
    checked = [validate(folder, tracks, attested=True) for folder in folders]
    assert [one.findings for one in checked] == [[] for _ in folders]
    find_copies(checked)
    return checked


def other_trajectories(records: list[Any]) -> None:
    for record in records:
        record["trajectory"] = record["trajectory"][::-1]


def test_two_that_stand_on_the_same_trajectories_are_both_told(submission: Path, tracks: Tracks) -> None:
    first, second = found(tracks, submission, copy_of(submission, "a-puppet"))
    assert "stands on 40 trajectories that 'a-puppet' stands on, too" in str(first.findings[0])
    assert "that 'my-bm25' stands on, too: an entry is on the board once" in str(second.findings[0])


def test_records_that_say_the_same_are_a_copy_whatever_their_trajectories_are_called(
    submission: Path, tracks: Tracks
) -> None:
    puppet = copy_of(submission, "a-puppet")
    for task in TASKS:
        change_records(puppet, task, other_trajectories)
    _, second = found(tracks, submission, puppet)
    assert "of its records say what those of 'my-bm25' say" in str(second.findings[0])


def test_records_that_took_as_long_to_the_last_digit_are_a_copy(submission: Path, tracks: Tracks) -> None:
    def reworded(records: list[Any]) -> None:
        other_trajectories(records)
        for record in records:
            record["answer"] += " "
            for search in record["searches"]:
                search["query"] += " ?"

    puppet = copy_of(submission, "a-puppet")
    for task in TASKS:
        change_records(puppet, task, reworded)
    _, second = found(tracks, submission, puppet)
    assert "of its records say what those of 'my-bm25' say" in str(second.findings[0])


def test_one_that_maintainers_attested_stays(submission: Path, tracks: Tracks) -> None:
    puppet = copy_of(submission, "a-puppet")
    digest = validate(submission, tracks).digest
    attest(submission, (), tier="verified", digest=digest, by="A maintainer", evidence="run again")
    first, second = found(tracks, submission, puppet)
    assert first.holds
    assert not second.holds


def test_entries_of_ones_own_are_no_copies(others: Path, tracks: Tracks) -> None:
    assert all(one.holds for one in found(tracks, *sorted(others.iterdir())))
