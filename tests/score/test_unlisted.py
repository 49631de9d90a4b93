"""Of a trajectory that does not name the documents it was shown, recall is not known, and so is no 0."""

from __future__ import annotations

from lrat_bench.score.score import measure
from lrat_bench.task.question import Question
from lrat_bench.trajectory import UNLISTED, Answer, Search, Trajectory


def test_recall_of_it_is_null_and_its_searches_count() -> None:
    record = Trajectory(
        task="t",
        protocol="p",
        question_id="q",
        agent="a",
        retriever="r",
        origin=f"chat-log{UNLISTED}",
        status="answered",
        answer="x",
        steps=(Search(turn=0, call=0, query="where"), Answer(turn=1, text="x")),
    )
    question = Question("q", "Where?", ("x",), "test")
    words = {"judge_fingerprint": "j", "evidence": {"q": frozenset({"d"})}, "gold": {"q": frozenset({"d"})}}
    known = measure([question], 1, [record.model_copy(update={"origin": "chat-log"})], [], **words)  # type: ignore[arg-type]
    unknown = measure([question], 1, [record], [], **words)  # type: ignore[arg-type]
    for name in ("evidence_recall", "gold_recall", "hit_rate", "first_query_ndcg@10", "lrat.recall"):
        assert (known.metric(name).value, known.metric(name).n) == (0.0, 1)
        assert (unknown.metric(name).value, unknown.metric(name).n) == (None, 0)
    assert unknown.metric("searches").value == 1
