"""A task in a folder: `corpus.jsonl`, `questions.jsonl`, and qrels where there are any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from lrat_bench.errors import DataError, UsageError
from lrat_bench.files import cache_folder, sha256_file
from lrat_bench.guard import GUARDED_CACHE_MEND, guard_of, refuse_plain
from lrat_bench.progress import Progress, no_progress
from lrat_bench.task.card import FolderCard, read_card
from lrat_bench.task.corpus import Corpus
from lrat_bench.task.jsonl import Line, decode, open_lines, parse
from lrat_bench.task.jsonl_corpus import JsonlCorpus
from lrat_bench.task.protocol import Protocol
from lrat_bench.task.qrels import read_qrels
from lrat_bench.task.question import Qrels, Question, Role
from lrat_bench.task.task import Task

__all__ = ["load_folder", "read_questions"]

_LAYOUT = (
    "a task folder holds corpus.jsonl (docid, text, optional title) and questions.jsonl (qid, question, answers, "
    "optional split), and may hold qrels.trec (evidence), qrels.gold.trec and task.yaml"
)


def load_folder(
    folder: Path,
    *,
    name: str | None = None,
    splits: Mapping[str, Role] | None = None,
    default_split: str | None = None,
    protocols: Mapping[str, Protocol] | None = None,
    default_protocol: str | None = None,
    domain: Literal["ID", "OOD"] | None = None,
    source: Mapping[str, object] | None = None,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> Task:
    """The task in a folder; every line of every file is checked.

    Files:

    - `corpus.jsonl`: see `JsonlCorpus`.
    - `questions.jsonl`: `qid`, `question`, `answers` (a list of strings, the canonical one first; null where nobody
      says, which leaves only retrieval to be measured), and a `split` on
      every line or on none; without, all questions are of the split `all`.
    - `qrels.trec` (documents that support the answer) and `qrels.gold.trec` (documents that state it): see
      `read_qrels`. A question that a file does not judge is left out of the means of recall; without the file,
      no question has one. Every judged question and document must exist.
    - Lines of `questions.jsonl` may be guarded (`lrat_bench.guard`), all or none; what runs keep is guarded then, too.
    - `task.yaml`: the keys of `FolderCard`; what is given here as an argument counts instead.

    Args:
        folder: the folder.
        name: the folder's name unless given.
        splits: split → role, for every split that occurs. Unless given, a name that begins with `train` is `train`
            and any other `eval`.
        default_split: the only split unless given, else `test`, `dev`, or the first `eval` split.
        protocols: by name; `default`, with every default value, unless given.
        default_protocol: the first of `protocols` unless given.
        domain: in-domain or out-of-domain, where it is known.
        source: what the folder was made from, for the manifest; counts and hashes of the files are added to it.
        cache: where the corpus index is kept; `files.cache_folder()` unless given.
        progress: told how reading the corpus goes.

    Raises:
        UsageError: it is not a task folder, or an argument does not fit what is in it.
        DataError: a file does not hold what it must.
    """
    if not folder.is_dir():
        raise UsageError(f"{str(folder)!r} is {'not a folder' if folder.exists() else 'not there'}: {_LAYOUT}")
    files = {path.name: path for path in folder.iterdir()}
    for required in ("corpus.jsonl", "questions.jsonl"):
        if required not in files:
            raise UsageError(f"folder {str(folder)!r} has no {required}: {_LAYOUT}")
    card = read_card(files["task.yaml"], FolderCard) if "task.yaml" in files else FolderCard()
    questions = read_questions(files["questions.jsonl"])
    if (canary := _canary(files["questions.jsonl"])) is not None:
        place = cache or cache_folder()
        refuse_plain("replies of judges", place, mend=GUARDED_CACHE_MEND)
    roles = _roles(questions, splits or card.splits, files["questions.jsonl"])
    offered = dict(protocols or card.protocols or {"default": Protocol()})
    evidence_file, gold_file = files.get("qrels.trec"), files.get("qrels.gold.trec")
    evidence = read_qrels(evidence_file) if evidence_file else None
    gold = read_qrels(gold_file) if gold_file else None
    task_name = name or card.name or folder.resolve().name
    corpus = JsonlCorpus(files["corpus.jsonl"], name=task_name, cache=cache, progress=progress)
    for qrels, file in ((evidence, evidence_file), (gold, gold_file)):
        if qrels is not None and file is not None:
            _check_qrels(qrels, file, questions, corpus)
    hashed = [file for file in (files["questions.jsonl"], evidence_file, gold_file) if file]
    task = Task(
        name=task_name,
        domain=domain or card.domain,
        questions=questions,
        corpus=corpus,
        splits=roles,
        default_split=default_split or card.default_split or _default_split(roles),
        protocols=offered,
        default_protocol=default_protocol or card.default_protocol or next(iter(offered)),
        evidence=evidence,
        gold=gold,
        source={
            **(source or {"source": "folder"}),
            "documents": len(corpus),
            "questions": len(questions),
            "files": {corpus.file.name: corpus.fingerprint, **{file.name: sha256_file(file) for file in hashed}},
        },
        canary=canary,
    )
    task.select()  # both raise for a default that does not exist
    task.protocol()
    return task


def read_questions(file: Path) -> tuple[Question, ...]:
    """The questions of a `questions.jsonl`, in file order; see `load_folder` for its keys.

    Raises:
        DataError: a line is not as it must be, a qid occurs twice, only some lines have a `split`, or there is none.
    """
    questions: dict[str, Question] = {}
    lines: dict[str, int] = {}
    with open_lines(file) as stream:
        for number, raw in enumerate(stream, 1):
            line = parse(raw, file, number)
            if line is None:
                continue
            question = _question(line)
            if question.qid in questions:
                raise line.error(
                    f"qid {question.qid!r} is already on line {lines[question.qid]}: every qid occurs once"
                )
            questions[question.qid] = question
            lines[question.qid] = number
    if not questions:
        raise DataError("holds no questions; every line is an object with 'qid', 'question' and 'answers'", file=file)
    without = [qid for qid, question in questions.items() if not question.split]
    if without and len(without) < len(questions):
        raise DataError(
            f"{len(without)} of {len(questions)} questions have no 'split': give it to all or to none",
            file=file,
            line=lines[without[0]],
        )
    if without:
        return tuple(Question(q.qid, q.text, q.answers, "all") for q in questions.values())
    return tuple(questions.values())


def _canary(file: Path) -> str | None:
    """What guards the questions; None where they lie open.

    Raises:
        DataError: only some are guarded, or not all under the same canary.
    """
    with open_lines(file) as stream:
        guards = {guard_of(decode(raw, file, number)) for number, raw in enumerate(stream, 1) if raw.strip()}
    if len(guards) > 1:
        raise DataError("some lines are guarded and others not, or under another canary: guard all alike", file=file)
    guard = guards.pop()
    return None if guard is None else guard.canary


def _question(line: Line) -> Question:
    text = line.text("question")
    if not text.strip():
        raise line.error("'question' is empty")
    answers = line.record.get("answers", "")
    if answers is None:
        answers = []
    elif not isinstance(answers, list) or not answers:
        raise line.error(f"'answers' must be a list with at least one string, as in [\"Paris\"], not {answers!r}")
    for answer in answers:
        if not line.checked("answers", answer).strip():
            raise line.error("'answers' holds an empty string: remove it")
    # An absent split is told from a named one by being empty, until all lines are known.
    split = line.identifier("split") if line.record.get("split") is not None else ""
    return Question(line.identifier("qid"), text, tuple(answers), split)


def _roles(questions: Sequence[Question], given: Mapping[str, Role] | None, file: Path) -> dict[str, Role]:
    found = list(dict.fromkeys(question.split for question in questions))
    if given is None:
        return {split: "train" if split.startswith("train") else "eval" for split in found}
    if odd := set(found) ^ set(given):
        raise DataError(
            f"splits do not agree: questions have {', '.join(map(repr, found))}, roles are given for "
            f"{', '.join(map(repr, given))} (differing: {', '.join(map(repr, sorted(odd)))})",
            file=file,
        )
    return dict(given)


def _default_split(roles: Mapping[str, Role]) -> str:
    preferred = [split for split in ("test", "dev") if split in roles]
    evaluated = [split for split, role in roles.items() if role == "eval"]
    return [*preferred, *evaluated, *roles][0]


def _check_qrels(qrels: Qrels, file: Path, questions: Sequence[Question], corpus: Corpus) -> None:
    unknown_qids = sorted(qrels.keys() - {question.qid for question in questions})
    if unknown_qids:
        raise DataError(
            f"{_some(unknown_qids, 'qid')} not in questions.jsonl: remove them or add the questions", file=file
        )
    docids = sorted({docid for judged in qrels.values() for docid in judged})
    if unknown := [docid for docid in docids if docid not in corpus]:
        raise DataError(f"{_some(unknown, 'docid')} not in corpus.jsonl: remove them or add the documents", file=file)


def _some(ids: Sequence[str], kind: str) -> str:
    shown = ", ".join(map(repr, ids[:5]))
    return f"{len(ids)} {kind}{'s are' if len(ids) > 1 else ' is'} ({shown}{', …' if len(ids) > 5 else ''})"
