"""Malformed and malicious submissions: each is refused with one clear line, or shown inert."""

from __future__ import annotations

import gc
import gzip
import io
import json
import math
import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from submissions import change, change_records, read

from lrat_bench.leaderboard.records import Browsed, RolloutRecord
from lrat_bench.leaderboard.rules import broken_limits, broken_rules
from lrat_bench.leaderboard.submission import Submission
from lrat_bench.leaderboard.tracks import Fixed, Tracks
from lrat_bench.leaderboard.validate import validate

TASK = "synth-wiki"
Record = dict[str, Any]
Spoil = Callable[[Path], Any]

MANIFEST = "submission.json"
RECORDS = f"records/{TASK}.jsonl"


def edits(how: Callable[[Record], Any]) -> Spoil:
    """Changes `submission.json`."""
    return lambda folder: change(folder, lambda content: how(content) and None)


def run_edit(how: Callable[[Record], Any]) -> Spoil:
    """Changes the first run in `submission.json`."""
    return lambda folder: change(folder, lambda content: how(content["runs"][0]) and None)


def records(how: Callable[[list[Any]], Any]) -> Spoil:
    """Changes records, with a mark that fits."""
    return lambda folder: change_records(folder, TASK, how)


def puts(path: str, content: bytes) -> Spoil:
    """Writes a file."""
    return lambda folder: (folder / path).write_bytes(content)


def within(*path: Any, value: Any) -> Callable[[Any], Any]:
    """Sets a value deep inside."""

    def put(content: Any) -> None:
        for step in path[:-1]:
            content = content[step]
        content[path[-1]] = value

    return put


def text_of(folder: Path, old: str, new: str) -> None:
    """Changes the text of `submission.json`."""
    file = folder / MANIFEST
    content = file.read_text()
    assert old in content
    file.write_text(content.replace(old, new, 1))


def links(path: str, target: str | Path) -> Spoil:
    """Puts a symbolic link in place of what is there."""

    def put(folder: Path) -> None:
        place = folder / path
        if place.is_dir():
            place.rename(folder.parent / "moved")
            place.symlink_to(folder.parent / "moved")
        else:
            place.unlink(missing_ok=True)
            place.symlink_to(target)

    return put


def hard_link(folder: Path) -> None:
    outside = folder.parent / "outside.jsonl"
    (folder / RECORDS).rename(outside)
    (folder / RECORDS).hardlink_to(outside)


def pipe(folder: Path) -> None:
    (folder / RECORDS).unlink()
    os.mkfifo(folder / RECORDS)


def half_a_character(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff")).touch()


def many_files(folder: Path) -> None:
    for number in range(150):
        (folder / f"{number}.txt").touch()


def one_task(folder: Path) -> None:
    edits(lambda content: content["runs"].pop())(folder)
    (folder / "records" / "synth-wiki-ood.jsonl").unlink()


def easy_question(folder: Path) -> None:
    change_records(folder, TASK, lambda found: found[-1].update(question_id="easy"))
    edits(lambda content: content["runs"][0]["questions"].__setitem__(-1, "easy"))(folder)


def hard_ones_out(folder: Path) -> None:
    change_records(folder, TASK, lambda found: found[:10])
    edits(lambda content: content["runs"][0].update(questions=content["runs"][0]["questions"][:10]))(folder)


def swap_tasks(folder: Path) -> None:
    one, other = folder / RECORDS, folder / "records" / "synth-wiki-ood.jsonl"
    first, second = one.read_text(), other.read_text()
    one.write_text(second)
    other.write_text(first)
    change_records(folder, TASK, lambda _: None)
    change_records(folder, "synth-wiki-ood", lambda _: None)


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("submission.json", b"0" * 50_000_000)
    return stream.getvalue()


def flip(found: list[Any]) -> None:
    wrong = next(record for record in found if record["outcome"] == "incorrect")
    wrong["outcome"] = "correct"


def flip_verdict(found: list[Any]) -> None:
    wrong = next(record for record in found if record["outcome"] == "incorrect" and record["verdict"])
    wrong["outcome"] = wrong["verdict"]["outcome"] = "correct"


def hits_of_evidence(found: list[Any]) -> None:
    for record in found:
        record["searches"][0]["hits"] = record["evidence"]


def swap_trajectories(found: list[Any]) -> None:
    found[1]["trajectory"] = found[0]["trajectory"]


def swap_answers(found: list[Any]) -> list[Any]:
    for key in ("searches", "browses", "turns", "usage", "verdict", "answer", "outcome"):
        found[0][key], found[1][key] = found[1][key], found[0][key]
    return [*found[:2], *found[2:]]


def search_edit(how: Callable[[Record], Any]) -> Spoil:
    """Changes the first search of the first record."""
    return records(lambda found: how(found[0]["searches"][0]) and None)


def repeated(record: Record, times: int) -> None:
    """Enters the first search again, as further queries of its call."""
    record["searches"] += [record["searches"][0]] * times


def reads(record: Record, *docids: str, turn: int | None = 0) -> None:
    """Enters documents that were read, each by a call of its own."""
    record["browses"] += [
        {"turn": turn, "call": call, "docid": docid, "found": True, "failed": False}
        for call, docid in enumerate(docids, 50)
    ]


def many_asked(folder: Path) -> None:
    edits(lambda content: content["runs"][0].update(questions=[f"q{number}" for number in range(100_000)], repeats=32))(
        folder
    )


CASES: dict[str, tuple[Spoil, str]] = {
    # Files
    "no manifest": (lambda folder: (folder / MANIFEST).unlink(), "submission.json: is not there"),
    "no records": (lambda folder: (folder / RECORDS).unlink(), f"{RECORDS}: is not there"),
    "a strange file": (puts("install.sh", b"rm -rf /"), "install.sh: is no file of a submission"),
    "a pickle": (puts("records/model.pkl", b"\x80\x04"), "records/model.pkl: is no file of a submission"),
    "a hidden folder": (lambda folder: (folder / ".git").mkdir(), ".git: is no folder of a submission"),
    "a name that leads upward": (puts("..\\..\\passwd", b"x"), "is no file of a submission"),
    "a name with a line break": (puts("a\nlrat-bench: all is well", b"x"), "is no file of a submission"),
    "a name with half a character": (half_a_character, "is no file of a submission"),
    "a link for records": (links(RECORDS, "/etc/passwd"), f"{RECORDS}: is a symbolic link"),
    "a link for the manifest": (links(MANIFEST, "/dev/zero"), "submission.json: is a symbolic link"),
    "a link for the folder of records": (links("records", ""), "records: is a symbolic link"),
    "a hard link": (hard_link, f"{RECORDS}: is a hard link"),
    "a pipe": (pipe, f"{RECORDS}: is a device, pipe or socket"),
    "attestations of one's own": (puts("attestations.json", b"{}"), "attestations.json: is no file of a submission"),
    "a zip bomb as manifest": (puts(MANIFEST, zipped()), "submission.json: is an archive"),
    "a gzip bomb as records": (puts(RECORDS, gzip.compress(b"0" * 50_000_000)), f"{RECORDS}: is an archive"),
    "too large a manifest": (puts(MANIFEST, b'{"a": "' + b"x" * 5_000_000 + b'"}'), "is larger than 4.00 MB"),
    "too many files": (many_files, "holds more than 100 files"),
    # JSON
    "no JSON": (puts(MANIFEST, b"name: me"), "submission.json: is not JSON"),
    "cut JSON": (lambda folder: os.truncate(folder / MANIFEST, 4000), "submission.json: is not JSON"),
    "a list": (puts(MANIFEST, b"[]"), "submission.json: is no JSON object"),
    "empty": (puts(MANIFEST, b""), "submission.json: is not JSON"),
    "no UTF-8": (puts(MANIFEST, b'{"name": "\xff\xfe"}'), "submission.json: is not UTF-8 (byte 10)"),
    "a byte-order mark": (lambda folder: text_of(folder, "{", "\ufeff{"), "byte-order mark"),
    "nested deeply": (puts(MANIFEST, b'{"a":' * 200_000), "submission.json: is nested too deeply"),
    "settings nested deeply": (
        run_edit(within("set", value={"a": json.loads("[" * 900 + "]" * 900)})),
        "submission.json: ",
    ),
    "a key twice": (lambda folder: text_of(folder, '"name"', '"name": "my-bm25", "name"'), "has the key 'name' twice"),
    "a thousand keys twice": (
        puts(MANIFEST, b"{" + b",".join(b'"%d":0' % (n % 150_000) for n in range(300_000)) + b"}"),
        "has the key '0' twice",
    ),
    "NaN": (run_edit(within("metrics", 0, "value", value=float("nan"))), "holds NaN, which is no number of JSON"),
    "infinity": (run_edit(within("metrics", 0, "high", value=float("inf"))), "holds Infinity"),
    "NaN in free settings": (run_edit(within("set", value={"retriever.k1": float("nan")})), "holds NaN"),
    "a number without end": (lambda folder: text_of(folder, '"seed": 0', '"seed": 1e999'), "too large for a number"),
    "a number of many digits": (
        lambda folder: text_of(folder, '"seed": 0', '"seed": ' + "9" * 100_000),
        "holds a number of 100000 digits",
    ),
    # Fields
    "an unknown field": (edits(within("verified", value=True)), "verified: there is no such field"),
    "another schema": (edits(within("schema", value="lrat-bench/submission/99")), "schema cannot be"),
    "a wrong type": (run_edit(within("repeats", value="1")), "runs.repeats cannot be '1': must be a whole number"),
    "a number for a name": (edits(within("name", value=7)), "name cannot be 7: must be a text"),
    "a name that leads elsewhere": (edits(within("name", value="../../etc")), "name cannot be '../../etc'"),
    "another folder's name": (edits(within("name", value="the-best")), "must be that of its folder, 'my-bm25'"),
    "an unknown track": (edits(within("track", value="../demo")), "track '../demo' is none of this board"),
    "a script for an address": (
        edits(within("entry", "url", value="javascript:alert(1)")),
        "entry.url cannot be 'javascript:alert(1)'",
    ),
    "a branch for a revision": (edits(within("entry", "revision", value="main")), "cannot be 'main': moves"),
    "text that turns round": (edits(within("entry", "id", value="best \u202e5MB")), "entry.id cannot be"),
    "a letter that looks like another": (
        edits(within("entry", "id", value="BМ25")),
        "holds CYRILLIC CAPITAL LETTER EM within a Latin word, which looks like M",
    ),
    "a name that shows nothing": (edits(within("entry", "id", value="\u3164")), "HANGUL FILLER, which shows nothing"),
    "a name that climbs over its neighbours": (
        edits(within("contact", "name", value="Z" + "\u0337\u0308" * 40)),
        "piles up marks on one letter",
    ),
    "a day that is none": (edits(within("prepared", value="2025-02-30")), "prepared cannot be '2025-02-30': is no day"),
    "a day to come": (edits(within("prepared", value="2999-01-01")), "on 2999-01-01, which is yet to come"),
    "a day in other digits": (edits(within("prepared", value="٢٠٢٥-٠١-٠١")), "prepared cannot be"),
    "a screen that clears": (edits(within("entry", "id", value="\x1b[2Jbest")), "entry.id cannot be"),
    "a novel for a name": (edits(within("contact", "name", value="x" * 100_000)), "contact.name cannot be"),
    "no parameters at all": (edits(lambda content: content["entry"].pop("licence")), "entry.licence: is missing"),
    "more parameters than there are": (edits(within("entry", "parameters", value=-5.0)), "entry.parameters"),
    "an address that turns round": (
        edits(within("entry", "url", value="https://example.org/\u202egpj.exe")),
        "entry.url cannot be",
    ),
    "a version that turns round": (run_edit(within("versions", "python", value="3\u202e11")), "runs.versions"),
    "a reported name that is cut": (run_edit(within("agent", "reported", value="a\x00b")), "runs.agent.reported"),
    "a definition that turns round": (
        run_edit(within("metrics", 0, "definition", value="\u202e")),
        "must be printable text of at most 1000 characters",
    ),
    "settings that turn round": (run_edit(within("set", value={"a": [{"b": "\u202e"}]})), "that is not printable"),
    "a branch for the agent's commit": (
        run_edit(within("agent", "revision", value="main")),
        "runs.agent.revision cannot be 'main': moves",
    ),
    "a commit that turns round": (
        run_edit(within("agent", "revision", value="\u202emoc.live")),
        "runs.agent.revision cannot be",
    ),
    "more repeats than there are": (
        run_edit(within("repeats", value=100)),
        "runs.repeats cannot be 100: must be at most 32",
    ),
    # Rules
    "no disclosure": (edits(lambda content: content.pop("disclosure")), "disclosure: is missing"),
    "a blank disclosure": (edits(within("disclosure", "data", value=" \n ")), "disclosure.data cannot be"),
    "trained here, pairs not named": (edits(within("disclosure", "training", value="lrat")), "does not name the pairs"),
    "one task only": (one_task, "there is no run on synth-wiki-ood@default"),
    "a foreign task": (run_edit(within("task", value="../../etc/passwd")), "'../../etc/passwd', which is no task of"),
    "another rollout": (run_edit(within("fingerprints", "rollout", value="0" * 64)), "the rollout is 0000"),
    "another judge": (run_edit(within("fingerprints", "judge", value="1" * 64)), "fingerprint of the judge is 1111"),
    "another task's documents": (run_edit(within("fingerprints", "task", value="2" * 64)), "of the task is"),
    "another agent": (run_edit(within("agent", "name", value="gpt-oss-120b")), "the track fixes 'heuristic'"),
    "an agent that was changed": (run_edit(within("fingerprints", "agent", value="3" * 64)), "of the agent is"),
    "no judge": (run_edit(within("judge", value=None)), "it does not name its judge"),
    "a million questions": (many_asked, "it has 100000 questions instead of 20"),
    "a custom scaffold unexplained": (edits(within("scaffold", "kind", value="custom")), "a custom scaffold needs"),
    # Records
    "records that were changed": (puts(RECORDS, b"{}\n"), "is not the file that submission.json names"),
    "a missing question": (records(lambda found: found[:-1]), "question 'test-0019', repeat 0, is missing"),
    "a question twice": (records(lambda found: [*found, found[0]]), "line 21, question 'test-0000' is there twice"),
    "a foreign question": (
        records(lambda found: [*found, {**found[0], "question_id": "mine"}]),
        "line 21, question 'mine' is asked in none of its runs",
    ),
    "an easy question in place of another": (easy_question, "its questions are not those of synth-wiki@default"),
    "the hard questions left out": (hard_ones_out, "it has 10 questions instead of 20"),
    "records of another task": (swap_tasks, "its evidence documents are not those of synth-wiki@default"),
    "a line that is no record": (records(lambda found: [*found[:-1], "[]"]), f"{RECORDS}:20: is no JSON object"),
    "a record nested deeply": (records(lambda found: [*found[:-1], '{"a":' * 100_000]), f"{RECORDS}:20: is nest"),
    "a record without end": (records(lambda found: [*found[:-1], '{"a": "' + "x" * 5_000_000 + '"}']), "is longer"),
    "a record with NaN": (records(within(0, "seconds", value=float("nan"))), f"{RECORDS}:1: holds NaN"),
    "a record with half a character": (records(within(0, "answer", value="\ud800")), f"{RECORDS}:1: is not UTF-8"),
    "a record with an unknown field": (records(within(3, "bonus", value=1)), f"{RECORDS}:4: bonus: there is no such"),
    "a negative repeat": (records(within(0, "repeat", value=-1)), f"{RECORDS}:1: repeat cannot be -1"),
    "too many steps": (
        records(within(0, "searches", value=[{"turn": 0, "call": 0, "query": "", "hits": []}] * 3_000)),
        f"{RECORDS}:1: searches",
    ),
    "a tampered outcome": (records(flip), "is said to be correct, and by its verdict it is incorrect"),
    "a tampered verdict": (records(flip_verdict), "outcomes are"),
    "tampered hits": (records(hits_of_evidence), "evidence_recall: value is"),
    "another's trajectory": (records(swap_trajectories), "has the trajectory of question 'test-0000'"),
    "tampered evidence": (records(within(0, "evidence", value=["0001"])), "its evidence documents are not those of"),
    "evidence left out": (records(within(0, "evidence", value=None)), "question 'test-0000' has no evidence documents"),
    "a tampered number": (run_edit(within("metrics", 0, "value", value=0.99)), "success_rate: value is 0.99, and its"),
    "a tampered interval": (run_edit(within("metrics", 0, "low", value=0.98)), "the low end of the interval is 0.98"),
    "a tampered n": (run_edit(within("metrics", 0, "n", value=300)), "n is 300, and its records come to 20"),
    "a number nobody knows": (run_edit(within("metrics", 0, "name", value="my_rate")), "'my_rate' is no metric"),
    # Limits of the protocol
    "a longer list than k": (
        search_edit(lambda one: one.update(hits=[f"{number:04}" for number in range(900)])),
        "question 'test-0000' has a search with 900 hits, and the protocol's k is 10",
    ),
    "a document twice in a list": (
        search_edit(lambda one: one.update(hits=["7"] * 10)),
        f"{RECORDS}:1: searches.hits: holds document '7' twice",
    ),
    "a hidden document of no list": (
        search_edit(lambda one: one.update(hidden=["none of them"])),
        "hidden names a document that is not among hits",
    ),
    "a docid that turns round": (search_edit(lambda one: one.update(hits=["\u202e7"])), "searches.hits cannot be"),
    "more queries than a call takes": (
        records(lambda found: repeated(found[0], 5)),
        "has a call with 6 entries, and the protocol carries out 5",
    ),
    "a call that searches and reads": (
        records(
            lambda found: (
                found[0]["browses"].append({"turn": 0, "call": 0, "docid": "7", "found": True, "failed": False})
            )
        ),
        "has a call that both searches and reads",
    ),
    "more turns than there are": (
        records(within(0, "turns", value=9_999)),
        "question 'test-0000' has 9999 turns, and the protocol allows 31",
    ),
    "a step after the last turn": (
        search_edit(lambda one: one.update(turn=900_000)),
        "has a step in turn 900000, counted from 0, of",
    ),
    "a step that no turn could hold": (
        records(lambda found: found[0].update(turns=None) or found[0]["searches"][0].update(turn=900_000)),
        "has a step in turn 900000, counted from 0, of 31",
    ),
    "a found document that is prose": (
        records(lambda found: reads(found[0], "\u202eof the question")),
        "says that it found a document whose id is none",
    ),
    "an import": (records(within(0, "origin", value="Who was it?")), "test-0000' was imported, and only what this"),
    "no status": (records(within(0, "status", value=None)), "'test-0000' does not say how it ended"),
    "more seconds than there are": (
        records(within(0, "seconds", value=1e308)),
        "seconds cannot be 1e+308: must be at most 1e+07",
    ),
    "more money than there is": (records(within(0, "usage", "cost_usd", value=1e308)), "cost_usd must lie between 0"),
    "money back": (records(within(0, "usage", "cost_usd", value=-1.0)), "cost_usd must lie between 0 and 1,000,000"),
    "tokens given back": (records(within(0, "usage", "completion_tokens", value=-5)), "tokens and calls must lie"),
    "a cassette's canary": (records(within(0, "canary", value="not mine")), "is kept under another canary"),
}  # fmt: skip

SEVERAL = {
    "too many files": "each strange file has its line, up to the limit",
    "a foreign task": "its own task has no run then",
    "records of another task": "both files are wrong",
    "a tampered verdict": "and every number that rests on it",
    "tampered hits": "and every number that rests on them",
    "another agent": "its fingerprint is another's, too",
    "a number nobody knows": "and the one it stands for is missing",
}
"""Cases that are more than one thing wrong."""


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_with_one_clear_line(case: str, submission: Path, tracks: Tracks) -> None:
    spoil, wanted = CASES[case]
    spoil(submission)
    started = time.process_time()
    found = validate(submission, tracks)
    assert time.process_time() - started < 10
    lines = [str(finding) for finding in found.findings]
    assert any(wanted in line for line in lines), lines
    if case not in SEVERAL:
        assert len(lines) == 1, lines
    for line in lines:
        assert line.isprintable()
        assert len(line) <= 240


def bomb_of_turns(found: list[Any]) -> list[Any]:
    return [
        {
            **record,
            "repeat": repeat,
            "turns": 10_000,
            "searches": [],
            "browses": [],
            "trajectory": f"{n:060x}{repeat:04}",
        }
        for n, record in enumerate(found)
        for repeat in range(32)
    ]


def bomb_of_hits(found: list[Any]) -> None:
    hits, hidden = [f"a{number}" for number in range(1_000)], [f"a{number}" for number in range(999, -1, -1)]
    found[0]["searches"] = [{"turn": 0, "call": 0, "query": "q", "hits": hits, "hidden": hidden}] * 200


@pytest.mark.parametrize("bomb", [bomb_of_turns, bomb_of_hits], ids=["turns", "hits"])
def test_what_no_protocol_leads_to_is_never_measured(bomb: Any, submission: Path, tracks: Tracks) -> None:
    change_records(submission, TASK, bomb)
    change(submission, lambda content: content["runs"][0].update(repeats=32 if bomb is bomb_of_turns else 1))
    started = time.process_time()
    assert not validate(submission, tracks).holds
    assert time.process_time() - started < 5


def test_a_turn_more_is_counted_and_not_built(submission: Path) -> None:
    line = (submission / RECORDS).read_text().splitlines()[0]
    record = RolloutRecord.model_validate_json(line).opened().model_copy(update={"turns": 10_000})
    trajectory, verdict = record.as_trajectory(), record.as_verdict("judge")
    assert len(trajectory.turns) == 10_000
    assert len({id(turn) for turn in trajectory.turns}) == 1
    assert verdict is not None
    assert trajectory.hash == verdict.trajectory == record.trajectory


def test_numbers_that_cannot_be_added_are_a_finding(
    submission: Path, tracks: Tracks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overflows(*_: Any, **__: Any) -> None:
        math.exp(1e9)

    monkeypatch.setattr("lrat_bench.leaderboard.validate.measure_rollouts", overflows)
    found = validate(submission, tracks)
    assert str(found.findings[0]) == f"{RECORDS}: cannot be measured: math range error"


def test_of_a_guarded_task_ids_are_short_and_without_spaces(submission: Path, tracks: Tracks) -> None:
    track = tracks["demo"]
    pin = track.pins[0].model_copy(update={"canary": "a canary"})
    record = RolloutRecord.model_validate_json((submission / RECORDS).read_text().splitlines()[0])
    assert list(broken_limits(record, pin, track)) == []
    for docid in ("Who was the smith?", "Whowasthesmith" * 5):
        listed = record.searches[0].model_copy(update={"hits": (docid,)})
        read = Browsed(turn=0, call=90, docid=docid, found=True)
        (said,) = broken_limits(record.model_copy(update={"searches": (listed,)}), pin, track)
        assert said == "has a docid with spaces or of more than 64 characters, which of a guarded task is none"
        (said,) = broken_limits(record.model_copy(update={"browses": (read,)}), pin, track)
        assert said == "says that it found a document whose id is none"
        assert list(broken_limits(record.model_copy(update={"browses": (read,)}), track.pins[0], track)) == []


def test_what_a_protocol_has_no_tool_for_was_not_done(submission: Path, tracks: Tracks) -> None:
    track = tracks["demo"]
    pin = track.pins[0].model_copy(update={"tools": ("search",), "calls": 1})
    record = RolloutRecord.model_validate_json((submission / RECORDS).read_text().splitlines()[0])
    read = Browsed(turn=0, call=90, docid="7", found=True)
    said = list(broken_limits(record.model_copy(update={"browses": (read,)}), pin, track))
    assert "reads a document, and the protocol has no tool for it" in said
    assert any(line.endswith("calls, and the protocol allows 1") for line in said)


def test_weights_have_a_commit(submission: Path, tracks: Tracks) -> None:
    demo = tracks["demo"]
    track = demo.model_copy(update={"fixed": Fixed(name="heuristic")})
    for revision, holds in ((None, False), ("abc123", False), ("0" * 40, True)):
        content = read(submission)
        for run in content["runs"]:
            run["agent"]["revision"] = revision
        stated = Submission.model_validate_json(json.dumps(content))
        said = [line for line in broken_rules(stated, track) if "commit" in line]
        assert (said == []) == holds


def compact(record: Record) -> str:
    """To the letter as we write records, which are read in another way then."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


AS_WRITTEN: dict[str, tuple[Callable[[str], str], str]] = {
    "a key twice": (lambda line: '{"repeat":0,' + line[1:], "has the key 'repeat' twice"),
    "a key twice inside": (lambda line: line.replace('"turn":0', '"turn":0,"turn":0', 1), "has the key 'turn' twice"),
    "NaN": (lambda line: line.replace('"confidence":', '"confidence":NaN,"x":', 1), "holds NaN"),
    "many digits": (lambda line: line.replace('"repeat":0', '"repeat":' + "0" * 30, 1), "is not JSON"),
    "a number of many digits": (lambda line: line.replace('"repeat":0', '"repeat":' + "9" * 30, 1), "of 30 digits"),
    "a number that is too large": (lambda line: line.replace('"seconds":', '"seconds":1e999,"x":', 1), "too large"),
    "more behind it": (lambda line: line + "{}", "is not JSON"),
}


@pytest.mark.parametrize("case", AS_WRITTEN)
def test_a_record_as_we_write_it_is_read_as_strictly(case: str, submission: Path, tracks: Tracks) -> None:
    spoil, wanted = AS_WRITTEN[case]
    change_records(submission, TASK, lambda found: [spoil(compact(found[0])), *map(compact, found[1:])])
    (finding,) = validate(submission, tracks).findings
    assert wanted in str(finding)


def test_what_is_not_written_as_we_write_it_comes_to_the_same(submission: Path, tracks: Tracks) -> None:
    ours = validate(submission, tracks)
    for how in (compact, json.dumps, lambda record: json.dumps(record, sort_keys=True)):
        change_records(submission, TASK, lambda found, how=how: [how(record) for record in found])  # type: ignore[misc]
        theirs = validate(submission, tracks)
        assert theirs.records == ours.records
        assert theirs.numbers[TASK].metrics == ours.numbers[TASK].metrics


@pytest.mark.parametrize("docid", ["", " ", "\u202e7", "a\nb", "\u2028", "x" * 513])
def test_no_docid_of_a_list_is_let_through_with_the_others(docid: str, submission: Path, tracks: Tracks) -> None:
    search_edit(lambda one: one.update(hits=[*one["hits"][:3], docid, *one["hits"][3:8]]))(submission)
    (finding,) = validate(submission, tracks).findings
    assert "searches.hits cannot be" in str(finding)


def test_there_are_fifty_of_them_and_more() -> None:
    assert len(CASES) > 50


def test_a_folder_that_is_a_link_is_not_followed(submission: Path, tmp_path: Path, tracks: Tracks) -> None:
    (tmp_path / "link").symlink_to(submission)
    (finding,) = validate(tmp_path / "link", tracks).findings[:1]
    assert str(finding) == ".: is no folder, or a link to one"
    assert not validate(Path("/dev/null"), tracks).holds
    assert not validate(tmp_path / "nothing here", tracks).holds


def test_the_order_of_records_means_nothing(submission: Path, tracks: Tracks) -> None:
    change_records(submission, TASK, lambda found: found[::-1])
    assert validate(submission, tracks).findings == []


def test_rubbish_is_collected_again_whatever_was_found(submission: Path, tmp_path: Path, tracks: Tracks) -> None:
    for folder in (submission, tmp_path / "nothing here"):
        validate(folder, tracks)
        assert gc.isenabled()


def test_what_was_not_touched_holds(submission: Path, tracks: Tracks) -> None:
    assert validate(submission, tracks).findings == []
    change(submission, lambda content: content)
    change_records(submission, TASK, lambda _: None)
    assert validate(submission, tracks).findings == []
    assert read(submission)["name"] == "my-bm25"
