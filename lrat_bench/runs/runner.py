"""Plays what is owed: many questions at a time, each recorded and judged the moment it ends."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from lrat_bench.agent.agent import Agent
from lrat_bench.agent.episode import Episode
from lrat_bench.agent.reader import Reader
from lrat_bench.agent.session import Session
from lrat_bench.errors import FatalModelError, Halt, RunIncomplete, UsageError
from lrat_bench.model.redact import RedactingFilter
from lrat_bench.retriever.batching import MicroBatcher
from lrat_bench.runs.admission import Admission
from lrat_bench.runs.config import RunConfig
from lrat_bench.runs.folder import RunFolder
from lrat_bench.runs.resume import Owed, kept_of, owed
from lrat_bench.runs.store import Codec, RecordStore, codec_of
from lrat_bench.runs.tally import OnTally, Tally
from lrat_bench.score.judging import Judging, has_answer
from lrat_bench.score.verdict import Verdict
from lrat_bench.trajectory import Trajectory

__all__ = ["play_owed"]

_log = logging.getLogger("lrat_bench.runs")

_PATIENCE = 2.0
"""Seconds that an interrupted run waits for a retriever."""


async def play_owed(
    config: RunConfig, folder: RunFolder, *, on_tally: OnTally, judging: Judging | None = None
) -> Tally:
    """Complete a run folder: play every rollout that is missing or errored, and judge it.

    The caller holds the folder and has claimed it (`RunFolder.hold`, `RunFolder.claim`), and prepared the retriever.

    Args:
        config: the resolved run.
        folder: where it lives; it must be empty or hold this very run.
        on_tally: told after each rollout.
        judging: by `config.judge`; one that is handed in tells afterwards whether the judge was down.

    Raises:
        UsageError: the parts do not fit together.
        RunIncomplete: it had to stop early (the disk is full, the model refuses every request, its endpoint is down,
            the cost cap is reached); what is done is kept.
    """
    codec = codec_of(config.task.canary)
    store, verdicts = replace(folder.trajectories, codec=codec), replace(folder.verdicts, codec=codec)
    store.open_for_writing()
    verdicts.open_for_writing()
    kept = kept_of(store.scan())
    if store.unreadable:
        lines = ", ".join(map(str, store.unreadable))
        _log.warning("%s: unreadable, and asked again: line %s", store.path, lines)
    todo = owed(config.questions, config.repeats, kept)
    tally = Tally(total=len(config.questions) * config.repeats)
    tally.kept = tally.total - len(todo)
    on_tally(tally)
    with _logged(folder, codec):
        reader = Reader(config.task.corpus, config.protocol.rollout)
        player = _Player(config, store, verdicts, reader, judging or Judging(config.judge), tally, on_tally)
        await player.play(todo)
    return tally


@dataclass
class _Player:
    config: RunConfig
    trajectories: RecordStore[Trajectory]
    verdicts: RecordStore[Verdict]
    reader: Reader
    judging: Judging
    tally: Tally
    on_tally: OnTally
    halted: str | None = None

    def __post_init__(self) -> None:
        self.admission = Admission(self.config.access.budget, finished=self.tally.kept)

    async def play(self, todo: list[Owed]) -> None:
        """Keep `concurrency` rollouts going until none is left."""
        batcher = MicroBatcher(self.config.retriever)
        queue = deque(todo)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self.config.concurrency, len(todo))):
                    group.create_task(self.work(queue, batcher))
        except* FatalModelError as fatal:
            raise RunIncomplete(f"{self.so_far}: the model can answer nothing: {fatal.exceptions[0]}") from None
        except* UsageError as wrong:
            raise wrong.exceptions[0] from None
        except* OSError as failed:
            reason = failed.exceptions[0]
            raise RunIncomplete(
                f"{self.so_far}: cannot write to {self.trajectories.path.parent}: {reason}; mend it and give the same "
                "command again"
            ) from None
        finally:
            await batcher.aclose(patience=_PATIENCE)
        if self.halted is not None:
            raise RunIncomplete(f"{self.so_far}: {self.halted}")

    @property
    def so_far(self) -> str:
        """For messages: what is safe."""
        done = self.tally.kept + self.tally.done - self.tally.errored
        return f"stopped with {done} of {self.tally.total} rollouts done"

    async def work(self, queue: deque[Owed], batcher: MicroBatcher) -> None:
        """Play rollouts one after the other."""
        while queue and self.halted is None:
            if (refused := await self.admission.enter()) is not None:
                self.halt(refused)
                return
            # While it waited, others may have taken the last one.
            if not queue or self.halted is not None:
                self.admission.withdraw()
                return
            item = queue.popleft()
            try:
                trajectory = await self.rollout(item, batcher)
            finally:
                self.admission.leave()
            self.trajectories.append(trajectory.to_json())
            outcome = "errored" if trajectory.status == "error" else "incorrect"
            if has_answer(trajectory):
                verdict = await self.judging.one(item.question, trajectory)
                outcome = "ungraded"
                if verdict is not None:
                    self.verdicts.append(verdict.to_json())
                    outcome = verdict.outcome
            self.tally.add(trajectory, outcome)
            _log.info(
                "%s repeat %d: %s, %s, %d turns%s",
                *(trajectory.question_id, trajectory.repeat, trajectory.status, outcome, len(trajectory.turns)),
                f": {trajectory.error}" if trajectory.error else "",
            )
            self.on_tally(self.tally)

    async def rollout(self, item: Owed, batcher: MicroBatcher) -> Trajectory:
        """One question, once."""
        config, rollout = self.config, self.config.protocol.rollout
        session = Session(item.question.qid, rollout, batcher.search, self.reader)
        seed = config.sampling_seed(item.question.qid, item.repeat)
        episode = await config.agent.play(item.question.text, session, seed=seed)
        self.halt(episode.halt or self.count(episode))
        return Trajectory(
            task=config.task.name,
            protocol=config.identity["protocol"],
            question_id=item.question.qid,
            repeat=item.repeat,
            agent=config.agent.name,
            retriever=config.identity["retriever"],
            status=episode.status,
            answer=episode.answer,
            steps=episode.steps,
            turns=episode.turns,
            usage=episode.usage,
            seconds=episode.seconds,
            attempts=item.attempts,
            error=episode.error,
        )

    def halt(self, reason: str | None) -> None:
        """Let no further question start, for the first reason there is."""
        self.halted = self.halted or reason

    def count(self, episode: Episode) -> str | None:
        """Count what an agent that brings its own models has reported; why no other question may start, if so."""
        if isinstance(self.config.agent, Agent):
            return None
        budget = self.config.access.budget
        budget.pay(self.config.agent.name, episode.usage.cost_usd)
        try:
            budget.check()
        except Halt as halt:
            return str(halt)
        return None


class _RunLog(logging.FileHandler):
    """The log of a run folder; a disk that refuses is told where records are written, and not once a line."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- logging's own name
        pass

    def close(self) -> None:
        with suppress(OSError):
            super().close()


class _Lines(logging.Formatter):
    """Lines of a log as records are kept: what goes wrong may quote what was asked."""

    def __init__(self, codec: Codec) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")
        self._codec = codec

    def format(self, record: logging.LogRecord) -> str:
        return self._codec.encode(super().format(record))


@contextmanager
def _logged(folder: RunFolder, codec: Codec) -> Iterator[None]:
    """Write this package's log into the run folder while the block runs."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    handler = _RunLog(folder.path / "logs" / f"{stamp}.log", delay=True)
    handler.setFormatter(_Lines(codec))
    handler.addFilter(RedactingFilter())
    package = logging.getLogger("lrat_bench")
    level = package.level
    package.addHandler(handler)
    package.setLevel(logging.INFO)
    try:
        yield
    finally:
        package.removeHandler(handler)
        package.setLevel(level)
        handler.close()
