"""Copies of benchmarks as the hub lays them out, with texts of our own; encrypted by a writer that is not ours."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from itertools import cycle
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

CANARY = "TEST DATA SHOULD NEVER APPEAR AS PLAIN TEXT. canary GUID test:0000"
COMMIT = "0123456789abcdef0123456789abcdef01234567"

WORDS = ("heron", "lantern", "quarry", "saddle", "thistle", "umber", "violet", "walnut")


def hidden(text: str, canary: str = CANARY) -> str:
    """A text as BrowseComp-Plus encrypts it, byte by byte."""
    key = cycle(hashlib.sha256(canary.encode()).digest())
    return b64encode(bytes(byte ^ key_byte for byte, key_byte in zip(text.encode(), key, strict=False))).decode()


def document(number: int) -> dict[str, str]:
    """A page of the corpus."""
    word = WORDS[number % len(WORDS)]
    return {
        "docid": str(1000 + number),
        "text": f"---\ntitle: The {word} of town {number}\n---\nIn town {number} a {word} hangs at the gate of smiths",
        "url": f"https://example.org/{number}",
    }


def question(number: int) -> tuple[str, str]:
    """A question and its answer."""
    return f"What hangs at the gate of smiths in town {number}?", f"the {WORDS[number % len(WORDS)]}, number {number}"


def write_browsecomp(
    root: Path, *, questions: int = 6, documents: int = 40, canary: str = CANARY, shards: int = 2
) -> Path:
    """The datasets of BrowseComp-Plus: encrypted questions in shards, plain documents."""
    pages = [document(number) for number in range(documents)]

    def nested(numbers: list[int]) -> list[dict[str, str]]:
        return [{key: hidden(value, canary) for key, value in pages[number].items()} for number in numbers]

    rows: list[dict[str, Any]] = []
    for number in range(questions):
        text, answer = question(number)
        rows.append(
            {
                "query_id": str(700 + number),
                "query": hidden(text, canary),
                "answer": hidden(answer, canary),
                "gold_docs": nested([number]),
                "evidence_docs": nested([number, number + questions]),
                "negative_docs": nested([documents - 1]),
            }
        )
    _shards(root / "Tevatron" / "browsecomp-plus" / "data", "test", rows, shards)
    _shards(root / "Tevatron" / "browsecomp-plus-corpus" / "data", "train", pages, shards)
    return root


def browsecomp_card(name: str = "browsecomp-copy", **expected: int) -> dict[str, Any]:
    """The card of such a copy; as that of the real one but for counts, canary and protocol."""
    counts = {"documents": 40, "questions": 6, "evidence": 12, "gold": 6, **expected}
    return {
        "name": name,
        "summary": "a copy for tests",
        "domain": "OOD",
        "license": "CC0-1.0",
        "source": "hub",
        "canary": CANARY,
        "splits": {"test": "eval"},
        "default_split": "test",
        "default_protocol": "short",
        "expected": counts,
        "hub": {
            "questions": {
                "test": {
                    "dataset": "Tevatron/browsecomp-plus",
                    "revision": COMMIT,
                    "files": ["data/test-*.parquet"],
                    "encrypted": True,
                    "qid": "query_id",
                    "question": "query",
                    "answers": "answer",
                }
            },
            "corpus": {
                "dataset": "Tevatron/browsecomp-plus-corpus",
                "revision": COMMIT,
                "files": ["data/train-*.parquet"],
                "docid": "docid",
                "text": "text",
            },
            "evidence": {"of_questions": "evidence_docs.docid"},
            "gold": {"of_questions": "gold_docs.docid"},
            "takes": {"download_gb": 0, "disk_gb": 0, "minutes": 0},
        },
        "protocols": {"short": {"rollout": {"k": 5, "max_turns": 12}}},
    }


def write_card(folder: Path, card: dict[str, Any]) -> None:
    """Put a card into a catalog."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{card['name']}.yaml").write_text(yaml.safe_dump(card, sort_keys=False))


def write_parquet(file: Path, rows: list[dict[str, Any]], *, group: int = 10) -> None:
    """A parquet file of small row groups."""
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), file, row_group_size=group)


def _shards(folder: Path, split: str, rows: list[dict[str, Any]], many: int) -> None:
    size = -(-len(rows) // many)
    for number in range(many):
        write_parquet(folder / f"{split}-{number:05d}-of-{many:05d}.parquet", rows[number * size : (number + 1) * size])
