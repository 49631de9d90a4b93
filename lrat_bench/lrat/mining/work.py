"""The work of mining: trajectories in, judged side by side, written in order."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from lrat_bench.errors import RunIncomplete, UsageError
from lrat_bench.files import sha256_file, write_json, writing
from lrat_bench.lrat.mining.candidate import Candidate, RuleSet
from lrat_bench.lrat.mining.harvest import FILES, KEPT, UNWEIGHED, Harvest
from lrat_bench.lrat.mining.judging import Judged, RelevanceJudging
from lrat_bench.lrat.mining.output import Drafts
from lrat_bench.lrat.mining.selection import admits
from lrat_bench.lrat.mining.source import Graded, Source
from lrat_bench.lrat.mining.weighing import weigh
from lrat_bench.lrat.pairs import Pairs
from lrat_bench.lrat.pairs_manifest import PairsManifest
from lrat_bench.lrat.relevance.base import RelevanceJudge
from lrat_bench.lrat.relevance.registry import NOBODY
from lrat_bench.model.access import Access
from lrat_bench.progress import Progress
from lrat_bench.runs.event_loop import EventLoop
from lrat_bench.runs.store import Codec, codec_of
from lrat_bench.task.task import Task
from lrat_bench.task.tokenizer import Tokenizer

__all__ = ["Mining"]

_log = logging.getLogger("lrat_bench.lrat")

_AHEAD = 4
"""Trajectories in hand for each browse that may be judged at once."""


@dataclass(frozen=True, slots=True)
class _Work:
    """A trajectory that is mined.

    Attributes:
        graded: the trajectory.
        task: whose corpus its documents are of, where it is at hand.
        candidates: found in it.
        judged: step → what the judge makes of it, when it has; None where nobody judges.
    """

    graded: Graded
    task: Task | None
    candidates: tuple[Candidate, ...]
    judged: asyncio.Task[dict[int, Judged]] | None


@dataclass
class Mining:
    """One command at work in a folder that it holds.

    Attributes:
        out: the folder.
        manifest: what is mined and how; the numbers are filled in at the end.
        rule: finds candidates.
        sources: of trajectories.
        tasks: that of each source, where it is at hand.
        tokenizer: measures reasoning.
        judge: of relevance; None where all candidates are kept.
        concurrency: browses judged at once.
        progress: told how many trajectories are done.
        judging: the judge at work.
    """

    out: Path
    manifest: PairsManifest
    rule: RuleSet
    sources: Sequence[Source]
    tasks: Sequence[Task | None]
    tokenizer: Tokenizer
    judge: RelevanceJudge | None
    concurrency: int
    progress: Progress
    judging: RelevanceJudging | None = None

    def carry_out(self, loop: EventLoop, access: Access) -> Pairs:
        """Judge and write what is judged; the files change when all of them are whole."""
        if self.judge is not None:
            self.judging = RelevanceJudging(
                self.judge, self.out / "judgements.jsonl", self.concurrency, codec=self._codec
            )
            self.judging.resume()
            loop.run(access.warm_up())
        try:
            with Drafts(self.out, UNWEIGHED, *FILES, codec=self._codec) as drafts:
                harvest = Harvest(self.rule, self.tokenizer, drafts)
                loop.run(self._fill(harvest))
                intensity, without_weight = weigh(harvest, self.manifest.scale)
                counts = harvest.counts(
                    without_weight=without_weight, unreadable=sum(source.unreadable for source in self.sources)
                )
                finished = self.manifest.model_copy(
                    update={
                        "counts": counts,
                        "intensity": intensity,
                        "finished": True,
                        "sources": tuple(source.record(content=True) for source in self.sources),
                    }
                )
                _refuse_nothing(finished)
                drafts.seal(*FILES)
                # A kill among the renames must not leave files of two minings that pass for one.
                self._write(self.manifest)
                drafts.commit(*FILES)
                self._write(finished.model_copy(update={"pairs": sha256_file(self.out / KEPT)}))
        except KeyboardInterrupt:
            said = " keeps every judgement that was made, and the same command goes on"
            raise RunIncomplete(f"interrupted; {self.out}{said}") from None
        finally:
            if self.judge is not None:
                loop.run(_closed(self.judge))
        return Pairs(self.out)

    @property
    def _codec(self) -> Codec:
        return codec_of(self.manifest.canary)

    def _write(self, manifest: PairsManifest) -> None:
        with writing(f"the pairs in {self.out}"):
            write_json(self.out / "manifest.json", manifest.to_dict())

    async def _fill(self, harvest: Harvest) -> None:
        """Put every trajectory into the harvest, in order, however long the judge takes over each."""
        async with aclosing(self._judged(harvest)) as coming:
            async for work in coming:
                corpus = None if work.task is None else work.task.corpus
                judged = None if work.judged is None else await work.judged
                harvest.take(work.graded, work.candidates, judged, corpus)

    async def _judged(self, harvest: Harvest) -> AsyncGenerator[_Work, None]:
        """What is mined, in order; what is ahead is being judged meanwhile."""
        ahead: deque[_Work] = deque()
        try:
            for graded, task in self._admitted(harvest):
                found = self.rule.find(graded.trajectory)
                harvest.browses(found)
                asking = None
                if self.judging is not None:
                    asking = asyncio.create_task(self._ask(graded, found.candidates))
                ahead.append(_Work(graded, task, found.candidates, asking))
                if asking is None or len(ahead) >= _AHEAD * self.concurrency:
                    yield ahead.popleft()
            while ahead:
                yield ahead.popleft()
        finally:
            left = [work.judged for work in ahead if work.judged is not None]
            for judged in left:
                judged.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _ask(self, graded: Graded, candidates: Sequence[Candidate]) -> dict[int, Judged]:
        assert self.judging is not None
        said = await asyncio.gather(*(self.judging.one(graded.hash, candidate) for candidate in candidates))
        return {candidate.step: one for candidate, one in zip(candidates, said, strict=True)}

    def _admitted(self, harvest: Harvest) -> Iterator[tuple[Graded, Task | None]]:
        """The trajectories that pass the filter, and the task of each; all that are read are counted."""
        expected = sum(source.expected for source in self.sources)
        for source, task in zip(self.sources, self.tasks, strict=True):
            for graded in source.read(task):
                harvest.see(graded)
                self.progress("mining trajectories", harvest.counted["trajectories"], expected)
                if admits(self.manifest.filter, graded.trajectory.status, graded.grading):
                    yield graded, task


async def _closed(judge: RelevanceJudge) -> None:
    """Close the judge; one that fails at that is logged, since its opinions are in."""
    try:
        await judge.close()
    except Exception as error:  # noqa: BLE001 -- a judge of anybody's
        _log.warning("closing relevance judge %r failed (%s: %s)", judge.name, type(error).__name__, error)


def _of_ungraded(manifest: PairsManifest) -> str:
    """What else can be done about answers that nobody has judged: those of runs can be."""
    if "ungraded" not in manifest.counts.by_verdict:
        return ""
    if all(source.kind == "lrat-files" for source in manifest.sources):
        return "; nobody can judge the answers of LRAT's files, which do not say what was asked"
    return ", and `lrat-bench score` judges the ungraded"


def _refuse_nothing(manifest: PairsManifest) -> None:
    """See that something was mined, or may be once the judge works again.

    Raises:
        UsageError: nothing was; the message says at which stage it was lost.
    """
    counts = manifest.counts
    if counts.kept or counts.rejected or counts.owed:
        return
    if not counts.trajectories:
        raise UsageError("there is nothing to mine: the runs hold no trajectory that can be read")
    if not counts.mined:
        ended = ", ".join(f"{many} {status}" for status, many in counts.by_status.items())
        judged = ", ".join(f"{many} {grading}" for grading, many in counts.by_verdict.items())
        raise UsageError(
            f"none of {counts.trajectories} trajectories passes (by status: {ended}; by verdict: {judged}): "
            f"--outcome all and --status all take more of them{_of_ungraded(manifest)}"
        )
    if not counts.candidates:
        raise UsageError(
            f"{counts.mined} trajectories with {counts.browses} browses give no pair by rule {manifest.rule!r} "
            f"({counts.not_found} browses of no document, {counts.from_no_list} of none that a search had listed, "
            f"{counts.not_adjacent} not right after their search)"
        )
    raise UsageError(
        f"none of {counts.candidates} candidates has reasoning that could be judged: --filter {NOBODY} keeps them all"
    )
