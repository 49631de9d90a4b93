"""A view on disk: whole or not there, and nothing of somebody else's is touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lrat_bench
from lrat_bench.agent.reader import Reader
from lrat_bench.api.view import view_runs
from lrat_bench.errors import DataError, UsageError
from lrat_bench.files import locked
from lrat_bench.runs.run import Run
from lrat_bench.runs.scoring import find_task
from lrat_bench.trajectory import Browse, Search
from lrat_bench.viewer.folder import MARK, write_folder
from lrat_bench.viewer.site import open_site


@pytest.fixture
def run(task_folder: Path, tmp_path: Path) -> Run:
    found: Run = lrat_bench.run(str(task_folder), retriever="oracle", repeats=2, out=tmp_path / "run")
    return found


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def shard(content: bytes) -> Any:
    """The value that a shard sets; what a browser does with it is tested with one."""
    text = content.decode().partition("JSON.parse('")[2].removesuffix("');\n")
    return json.loads(text.replace("\\'", "'").replace("\\\\", "\\"))


def test_it_is_written_once_and_the_same_every_time(run: Run, tmp_path: Path) -> None:
    before = files(run.path)
    written = view_runs(run.path, out=tmp_path / "view")
    first = files(tmp_path / "view")
    assert (written.lines, written.trajectories, written.missing) == (4, 4, None)
    assert (written.files, written.size) == (len(first) - 1, sum(map(len, first.values())))  # but for the mark
    assert written.index.read_bytes().startswith(b"<!doctype html>")
    view_runs(run.path, out=tmp_path / "view")
    assert files(tmp_path / "view") == first
    assert files(run.path) == before


def test_a_later_view_replaces_an_earlier_one_and_leaves_the_rest(run: Run, tmp_path: Path) -> None:
    view_runs(run.path, out=tmp_path / "view")
    (tmp_path / "view" / "data" / "z-9999.js").write_text("left by a larger view")
    (tmp_path / "view" / "notes.txt").write_text("mine")
    view_runs(run.path, out=tmp_path / "view", limit=1)
    left = files(tmp_path / "view")
    assert "data/z-9999.js" not in left
    assert left["notes.txt"] == b"mine"


@pytest.mark.parametrize("there", ["index.html", "notes.txt"])
def test_a_folder_of_something_else_is_refused(run: Run, tmp_path: Path, there: str) -> None:
    (tmp_path / "view").mkdir()
    (tmp_path / "view" / there).write_text("mine")
    with pytest.raises(UsageError, match="holds something else"):
        view_runs(run.path, out=tmp_path / "view")
    assert files(tmp_path / "view") == {there: b"mine"}
    with pytest.raises(UsageError, match="cannot write"):
        view_runs(run.path, out=tmp_path / "view" / there)
    with pytest.raises(UsageError, match="holds something else"):
        view_runs(run.path, out=run.path)


def test_what_is_interrupted_cannot_be_opened_and_is_made_up_for(run: Run, tmp_path: Path) -> None:
    view_runs(run.path, out=tmp_path / "view")
    whole = files(tmp_path / "view")

    def stop_at(number: int) -> Callable[[str, int, int | None], None]:
        def progress(what: str, done: int, total: int | None) -> None:
            if what == "writing the view" and done == number:
                raise KeyboardInterrupt

        return progress

    for number in (0, 3, len(whole) - 2):
        with pytest.raises(KeyboardInterrupt):
            view_runs(run.path, out=tmp_path / "view", progress=stop_at(number))
        assert not (tmp_path / "view" / "index.html").exists()
    view_runs(run.path, out=tmp_path / "view")
    assert files(tmp_path / "view") == whole


def test_two_do_not_write_to_one_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "view").mkdir()
    with locked(tmp_path / "view" / MARK), pytest.raises(UsageError, match="another process is writing"):
        view_runs(run.path, out=tmp_path / "view")


def test_a_disk_that_refuses_is_one_line(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot write the view to .*: File name too long"):
        view_runs(run.path, out=tmp_path / ("x" * 300))


def test_documents_are_written_once_and_no_longer_than_they_were_shown(strong: Run, weak: Run, tmp_path: Path) -> None:
    site = open_site([strong.path, weak.path])
    found = [one for name, make in site.files.items() if name.startswith("data/docs-") for one in shard(make())]
    task = find_task(strong.manifest)
    reader = Reader(task.corpus, strong.manifest.protocol.rollout)
    steps = [step for run in (strong, weak) for record in run.trajectories for step in record.steps]
    read = {step.docid for step in steps if isinstance(step, Browse) and step.found}
    seen = read | {hit.docid for step in steps if isinstance(step, Search) for hit in step.hits}
    assert sorted(one["id"] for one in found) == sorted(seen)
    assert read < seen
    for one in found:
        shown = reader.document(one["id"]) if one["id"] in read else reader.snippet(one["id"])
        assert shown is not None
        assert one["text"] == shown.partition("\n")[2]  # the title is said above it


def test_a_protocol_that_cuts_documents_cuts_them_here(task_folder: Path, tmp_path: Path) -> None:
    words = {"task": str(task_folder), "retriever": "oracle"}
    cut = {"protocol.document_tokens": 5, "protocol.snippet_tokens": 3}
    short = lrat_bench.run(**words, set=cut, out=tmp_path / "short")  # type: ignore[arg-type]
    whole = lrat_bench.run(**words, out=tmp_path / "whole")  # type: ignore[arg-type]

    def read_in(*runs: Run) -> dict[str, dict[str, Any]]:
        makers = [make for name, make in open_site([run.path for run in runs]).files.items() if "docs-" in name]
        read = {
            step.docid for run in runs for one in run.trajectories for step in one.steps if isinstance(step, Browse)
        }
        return {one["id"]: one for make in makers for one in shard(make()) if one["id"] in read}

    alone, both = read_in(short), read_in(short, whole)
    assert {"d1", "d3"} <= set(alone)
    # The title's tokens count, too.
    assert (alone["d3"]["text"], alone["d3"]["shown"]) == (
        "Tarn is a harbour",
        [[len("Tarn is"), len("Tarn is a harbour")]],
    )
    text = "Tarn is a harbour town on the river Ostrel."
    assert both["d3"]["text"] == text
    assert both["d3"]["shown"] == [[len("Tarn is"), len("Tarn is a harbour")], [len(text), len(text)]]


def test_a_run_that_was_not_scored_is_counted_from_what_is_there(run: Run, tmp_path: Path, task_folder: Path) -> None:
    scored = shard(open_site([run.path]).files["data/list-0000.js"]())
    (run.path / "metrics.json").unlink()
    site = open_site([run.path])
    assert shard(site.files["data/list-0000.js"]()) == scored
    assert shard(site.files["data/index.js"]())["runs"][0]["scored"] is False
    task_folder.rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="lrat-bench score"):
        open_site([run.path])


def test_lines_that_hold_no_record_are_passed_over(run: Run) -> None:
    whole = shard(open_site([run.path]).files["data/a-0000.js"]())
    for name in ("trajectories.jsonl", "verdicts.jsonl"):
        file = run.path / name
        deep = "[" * 100_000
        file.write_bytes(b"\xff\xfe\n{}\nnull\n" + file.read_bytes() + f"{deep}\n".encode() + b'{"torn": ')
    assert shard(open_site([run.path]).files["data/a-0000.js"]()) == whole


def test_of_several_records_the_last_counts_and_old_verdicts_do_not(run: Run) -> None:
    record = next(one for one in run.trajectories if one.key == ("q1", 0))
    run.folder.trajectories.append(record.model_copy(update={"answer": "later"}).to_json())
    site = open_site([run.path])
    found = shard(site.files["data/a-0000.js"]())[0]
    assert (found["answer"], found["verdicts"]) == ("later", [])
    (run.path / "trajectories.jsonl").write_text("")
    with pytest.raises(DataError, match="written anew"):
        site.files["data/a-0000.js"]()


def test_runs_that_do_not_fit_are_refused(run: Run, strong: Run, tmp_path: Path, make_task_folder: Any) -> None:
    other = make_task_folder(tmp_path / "other")
    with (other / "corpus.jsonl").open("a") as stream:
        stream.write('{"docid": "d5", "text": "one more"}\n')
    refused: list[tuple[list[Path], dict[str, Any], str]] = [
        ([run.path, strong.path], {}, "another task"),
        ([run.path, run.path], {}, "given twice"),
        ([tmp_path / "nowhere"], {}, "not a run folder"),
        ([run.path], {"limit": 0}, "at least 1"),
        ([run.path], {"task": str(tmp_path / "gone")}, "gone"),
        ([run.path], {"task": str(other)}, "not the one this run was made on"),
        ([run.path] * 27, {}, "too many"),
    ]
    for paths, words, why in refused:
        with pytest.raises(UsageError, match=why):
            open_site(paths, **words)


def test_shards_hold_fifty_trajectories_at_most(task_folder: Path, tmp_path: Path) -> None:
    run = lrat_bench.run(str(task_folder), retriever="oracle", repeats=60, out=tmp_path / "run")
    site = open_site([run.path])
    assert [len(shard) for shard in site.runs[0].shards] == [50, 50, 20]
    assert site.trajectories == 120
    written = write_folder(open_site([run.path], limit=1), tmp_path / "view")
    assert written.trajectories == 60
