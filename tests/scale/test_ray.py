"""`--engine ray` on a cluster of two workers: what one process gives, also where a worker is killed."""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_model import make_encoder

from lrat_bench.agent.episode import Episode
from lrat_bench.api import load_run, load_task
from lrat_bench.cli.main import main
from lrat_bench.cli.watch import Watch
from lrat_bench.errors import UsageError
from lrat_bench.model.budget import Budget, read_costs
from lrat_bench.progress import no_progress
from lrat_bench.retriever.base import BuildContext, Ranked
from lrat_bench.retriever.dense import make_dense
from lrat_bench.retriever.embeddings import BLOCK
from lrat_bench.runs.tally import Tally
from lrat_bench.scale.cluster import Cluster, joined
from lrat_bench.scale.encoding import Encoding, encode_on_ray
from lrat_bench.scale.rollouts import Played, Pool
from lrat_bench.scale.words import Place, Words
from lrat_bench.trajectory import Usage

pytest.importorskip("ray")

Kill = Callable[[], None]

DOCUMENTS = BLOCK + 100
WORDS = "mason bridge river harbour town village kiln tower ferry market abbey orchard".split()
QUERIES = [" ".join(random.Random(-n).choices(WORDS, k=4)) for n in range(1, 12)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Started once, since that takes seconds; the commands join it, and leave it running."""
    with joined() as there:
        yield there


@pytest.fixture
def kill(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kill]:
    """Kills the first of the workers that were started last."""
    started: list[Any] = []
    start = Cluster.start

    def remembered(self: Cluster, *arguments: Any, **options: Any) -> list[Any]:
        started[:] = start(self, *arguments, **options)
        return list(started)

    monkeypatch.setattr(Cluster, "start", remembered)

    def kill_one() -> None:
        pid = cluster.ray.get(started[0].__ray_call__.remote(lambda _: os.getpid()))
        assert pid != os.getpid()
        os.kill(pid, signal.SIGKILL)

    yield kill_one
    # Ray lets go of workers when Python has collected their handles; until then the next test would wait for room.
    for worker in started:
        cluster.ray.kill(worker)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A task folder whose vectors take two blocks."""
    folder = tmp_path_factory.mktemp("tasks") / "many"
    folder.mkdir()
    texts = (" ".join(random.Random(n).choices(WORDS, k=n % 9 + 1)) for n in range(DOCUMENTS))
    lines = [json.dumps({"docid": f"d{n:05d}", "text": text}) for n, text in enumerate(texts)]
    (folder / "corpus.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "questions.jsonl").write_text(json.dumps({"qid": "q", "question": "Where?", "answers": ["here"]}) + "\n")
    return folder


def test_two_workers_encode_what_one_process_encodes_also_where_one_is_killed(
    cluster: Cluster, kill: Kill, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_encoder(tmp_path / "tiny", vocabulary=WORDS)
    task = load_task(str(corpus))
    told: list[int] = []

    def tell(_: str, done: int, total: int | None) -> None:
        assert 0 <= done <= DOCUMENTS == total
        if not told:
            kill()
        told.append(done)

    def searched(cache: Path, *, ray: bool) -> tuple[str, Any, list[list[Ranked]]]:
        monkeypatch.setenv("LRAT_BENCH_CACHE", str(cache))
        # As a user gives it: a path that means something only where the command was given.
        with closing(make_dense("./tiny", BuildContext(task, {"passage_tokens": 16}, cache))) as dense:
            if ray:
                given = {"retriever": {"passage_tokens": 16}}
                words = Words(str(corpus), "dense:./tiny", given, dense.fingerprint, task.corpus.fingerprint)
                encode_on_ray(dense, words, documents=DOCUMENTS, workers=2, progress=tell)
                elsewhere = "lrat_bench.retriever.encoder.Encoder.documents"
                monkeypatch.setattr(elsewhere, lambda *_: pytest.fail("encoded here"))
            dense.prepare(no_progress)
            (folder,) = (cache / "embeddings").iterdir()
            vectors = np.concatenate([np.load(file) for file in sorted(folder.glob("*.npy"))])
            return folder.name, vectors, dense.search(QUERIES, 10)

    local, spread_out = searched(tmp_path / "local", ray=False), searched(tmp_path / "ray", ray=True)
    assert told
    assert local[0] == spread_out[0]
    assert np.abs(local[1] - spread_out[1]).max() <= 1e-5
    for one, other in zip(local[2], spread_out[2], strict=True):
        assert [hit.score for hit in one] == pytest.approx([hit.score for hit in other], abs=1e-5)
        least = one[-1].score + 1e-5
        assert {hit.docid for hit in one if hit.score > least} <= {hit.docid for hit in other}


def test_two_workers_play_what_one_process_plays_also_where_one_is_killed(
    cluster: Cluster, kill: Kill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = "run --retriever oracle --set task.documents=1000 --limit 20 --repeats 2 --seed 5 --json --out".split()
    killed: list[int] = []
    shown = Watch.run

    def tell(self: Watch, tally: Tally) -> None:
        shown(self, tally)
        if tally.done >= 4 and not killed:
            killed.append(tally.done)
            kill()

    made = []
    for more in ((), ("--engine", "ray", "--workers", "2")):
        if more:
            monkeypatch.setattr(Watch, "run", tell)
        with pytest.raises(SystemExit) as ended:
            main([*words, f"made{len(more)}", *more])
        assert ended.value.code == 0
        # One document, whatever Ray says of the worker that was killed.
        assert json.loads(capfd.readouterr().out)["run"] == f"made{len(more)}"
        made.append(load_run(f"made{len(more)}"))
    assert killed
    local, spread_out = made
    assert timeless(spread_out.trajectories) == timeless(local.trajectories)
    assert len(timeless(local.trajectories)) == 40
    values = [{one.name: one.value for one in run.metrics.metrics if one.name != "seconds"} for run in made]
    assert values[0] == values[1]
    one, other = local.manifest.to_dict(), spread_out.manifest.to_dict()
    # When it began is told to the second: what takes no longer may say the same.
    assert {key for key in one if one[key] != other[key]} <= {"invocations"}


def test_what_a_command_prints_on_a_worker_is_in_the_log_of_the_run(
    cluster: Cluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    task_folder: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "agent.sh").write_text('echo "It stands in [d2], sk-opensesame"\necho "loud and clear" >&2\n')
    words = "--retriever oracle --limit 2 --engine ray --workers 2 --out made".split()
    with pytest.raises(SystemExit) as ended:
        main(["run", "--task", str(task_folder), "--agent", "command:sh agent.sh", *words])
    assert ended.value.code == 0
    log = "".join(file.read_text() for file in (tmp_path / "made" / "logs").iterdir())
    for qid in [one.question_id for one in load_run("made").trajectories]:
        assert f"INFO {qid}: stdout of the agent:\nIt stands in [d2], [secret]" in log
        assert f"INFO {qid}: stderr of the agent:\nloud and clear" in log
    # What a worker's agent has to say of all its questions comes when it is closed.
    assert "answers that cite documents of the corpus though no tool was called: " in capfd.readouterr().err


def test_what_workers_pay_is_in_the_ledger_and_under_the_cap(tmp_path: Path) -> None:
    played = Episode("answered", "x", (), (), Usage(), 1.0)
    budget = Budget(1.0)
    budget.keep_in(tmp_path / "costs.jsonl")
    pool = Pool(None, [], budget)
    assert pool.counted(Played(played, None, (("m", 0.25), ("m", 0.5)))).halt is None
    assert sum(read_costs(tmp_path / "costs.jsonl")) == 0.75
    assert "cost cap of $1.00 is reached" in str(pool.counted(Played(played, None, (("m", 0.25),))).halt)
    with pytest.raises(UsageError, match="no such thing"):
        pool.counted(Played(None, "no such thing", ()))
    unpriced = Pool(None, [], Budget(1.0))
    assert "no known cost" in str(unpriced.counted(Played(played, None, (("m", None),))).halt)


def test_a_worker_that_makes_another_retriever_of_the_words_encodes_nothing(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(tmp_path / "cache"))
    make_encoder(tmp_path / "tiny", vocabulary=WORDS)
    fingerprint = load_task(str(corpus)).corpus.fingerprint
    for words, what in (
        (Words(str(corpus), "dense:./tiny", {}, "another", fingerprint), "another retriever of the same words"),
        (Words(str(corpus), "dense:./tiny", {}, None, "another"), "another corpus of the same words"),
        (Words(str(corpus), "dense:./gone", {}, None, fingerprint), "gone"),
    ):
        assert what in str(Encoding(words, Place.here()).encode(0, 1))
    assert not (tmp_path / "cache" / "embeddings").exists()


def timeless(value: Any) -> Any:
    """Records by their key, without what time it took."""
    if isinstance(value, dict):
        return {key: timeless(one) for key, one in value.items() if key != "seconds"}
    if isinstance(value, list | tuple):
        return [timeless(one) for one in value]
    if hasattr(value, "model_dump"):
        return timeless(value.model_dump(mode="json"))
    if hasattr(value, "__iter__") and not isinstance(value, str):
        return sorted((timeless(one) for one in value), key=lambda one: (one["question_id"], one["repeat"]))
    return value
