"""A retriever of which nothing is known is told from another one by what it finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from searching import SearchServer, search_r1

import lrat_bench
from lrat_bench.api import load_task
from lrat_bench.errors import UsageError


def test_a_run_is_not_continued_on_another_retriever_at_the_same_address(task_folder: Path, tmp_path: Path) -> None:
    texts = {one.docid: one.contents for one in load_task(str(task_folder)).corpus}

    def document(docid: str) -> dict[str, str]:
        return {"id": docid, "contents": texts[docid]}

    with SearchServer(search_r1(lambda _, k: [("d1", 2.0), ("d2", 1.0)][:k], document)) as server:
        words: dict[str, Any] = {"task": str(task_folder), "retriever": server.address, "out": tmp_path / "run"}
        assert not lrat_bench.run(**words, limit=1).manifest.rankable
        lrat_bench.run(**words, limit=2)
        server.answer = search_r1(lambda _, k: [("d2", 2.0), ("d1", 1.0)][:k], document)
        with pytest.raises(UsageError, match="finds other documents for the probe queries"):
            lrat_bench.run(**words)
        assert len(list(lrat_bench.load_run(tmp_path / "run").trajectories)) == 2
        lrat_bench.run(**words, fresh=True)
