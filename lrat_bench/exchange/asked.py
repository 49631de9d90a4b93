"""Which question of a task a record is of."""

from __future__ import annotations

from lrat_bench.errors import UsageError
from lrat_bench.exchange.record import Imported
from lrat_bench.task.question import Question, same_wording
from lrat_bench.task.task import Task

__all__ = ["Asked"]


class Asked:
    """Finds the question of a record: by its id, or by its text where it has no id that the task knows.

    The id `17.0` is 17 where no question is called so itself: tables of numbers write ids thus.

    The split, unless it is given, is that of the questions that were found.

    Args:
        task: whose questions they are.
        split: the only one that counts; None for any.
    """

    def __init__(self, task: Task, split: str | None) -> None:
        self.task = task
        self._split = split
        self._by_id = {question.qid: question for question in task.questions}
        self._by_text = {same_wording(question.text): question for question in task.questions}
        self._seen: dict[str, str] = {}

    def find(self, found: Imported) -> Question | None:
        """The question; None where the task, or the split, does not have it."""
        qid = found.trajectory.question_id
        question = self._by_id.get(qid) or self._by_id.get(qid.removesuffix(".0"))
        if question is None and found.question is not None:
            question = self._by_text.get(same_wording(found.question))
        if question is None or (self._split is not None and question.split != self._split):
            return None
        self._seen.setdefault(question.split, question.qid)
        return question

    def same(self, text: str, other: str) -> bool:
        """Whether two texts ask the same, spaces, case and punctuation apart."""
        return same_wording(text) == same_wording(other)

    @property
    def split(self) -> str:
        """The split of the questions.

        Raises:
            UsageError: they are of several.
        """
        if self._split is not None:
            return self._split
        if len(self._seen) > 1:
            (one, here), (other, there) = list(self._seen.items())[:2]
            raise UsageError(
                f"the records are of {len(self._seen)} splits, as {one!r} (question {here!r}) and {other!r} "
                f"({there!r}): a run has one; say which with --split, and leave the others out with --skip-unknown"
            )
        return next(iter(self._seen), self.task.default_split)

    @property
    def what(self) -> str:
        """What is searched for questions, for messages."""
        return f"task {self.task.name!r}" if self._split is None else f"split {self._split!r} of {self.task.name!r}"

    @property
    def mend(self) -> str:
        """What to do about questions that are not there, for messages."""
        return "give the task they were asked in" if self._split is None else "give their task and split"
