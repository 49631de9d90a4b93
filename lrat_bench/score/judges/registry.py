"""The judges by name."""

from __future__ import annotations

from collections.abc import Callable

from lrat_bench.errors import UnknownName, UsageError, foreign
from lrat_bench.model.access import remote
from lrat_bench.model.seam import Model, Request, Turn
from lrat_bench.model.spec import ModelSpec
from lrat_bench.registry import Entry, Registry, load_object
from lrat_bench.score.judges.base import Judge
from lrat_bench.score.judges.cache import VerdictCache
from lrat_bench.score.judges.llm import LlmJudge
from lrat_bench.score.judges.presets import Preset, is_model_id, preset_of, presets
from lrat_bench.task.protocol import Scoring

__all__ = ["JUDGES", "load_judge"]

JUDGES = Registry(
    "judge",
    {
        "exact": Entry(
            "lrat_bench.score.judges.exact:Exact", "final answer equals an accepted one, normalised; offline"
        ),
        "contains": Entry("lrat_bench.score.judges.contains:Contains", "text contains an accepted answer; offline"),
    },
    group="lrat_bench.judges",
)
"""What stands behind a name is called with the protocol's `Scoring` part and returns a `Judge`."""


def load_judge(
    scoring: Scoring,
    *,
    open_model: Callable[[ModelSpec], Model] | None = None,
    offline: bool = False,
    cache: VerdictCache | None = None,
) -> Judge:
    """The judge that a protocol names: a registered name, a preset of an LLM judge, a LiteLLM id, or `module:object`.

    Args:
        scoring: the protocol's part.
        open_model: makes the model of an LLM judge; without it the judge has a name and a fingerprint, and can grade
            nothing.
        offline: no endpoint is reached, so none need have an address.
        cache: of an LLM judge's verdicts.

    Raises:
        UnknownName: no judge has that name.
        UsageError: it refuses its settings, cannot be loaded, is no judge, or is served by the user and has no
            address.
    """
    if scoring.judge in JUDGES:
        return _made(scoring, JUDGES.load(scoring.judge))
    if scoring.judge in presets() or is_model_id(scoring.judge):
        return _llm(scoring, open_model, cache, offline=offline)
    if ":" in scoring.judge:
        return _made(scoring, load_object(scoring.judge))
    raise UnknownName(
        "judge",
        scoring.judge,
        [*JUDGES, *presets()],
        hint="A model of LiteLLM is given with its provider (openai/gpt-4.1), a judge of your own as module:object.",
    )


def _made(scoring: Scoring, factory: Callable[[Scoring], object]) -> Judge:
    with foreign(f"judge {scoring.judge!r} cannot be made"):
        judge = factory(scoring)
    if not isinstance(judge, Judge):
        raise UsageError(
            f"{scoring.judge!r} made {type(judge).__name__!r}, which is no judge: "
            "it needs name, fingerprint, judge(question, answer) and close()"
        )
    return judge


def _llm(
    scoring: Scoring, open_model: Callable[[ModelSpec], Model] | None, cache: VerdictCache | None, *, offline: bool
) -> Judge:
    preset = preset_of(scoring)
    model = _Unopened(preset.spec()) if open_model is None else open_model(preset.spec())
    # Settings are checked first: a mistyped one is told before a server is started for it.
    judge = LlmJudge(scoring, model, cache)
    if not offline:
        _require_address(preset, model)
    return judge


def _require_address(preset: Preset, model: Model) -> None:
    """See that a model that the user serves has an address."""
    reached = remote(model)
    if reached is None or reached.connection.api_base or not preset.model.startswith("hosted_vllm/"):
        return
    command = f" (vLLM: `{preset.serving}`)" if preset.serving else ""
    raise UsageError(
        f"judge {preset.name!r} runs on a server of yours: start one{command} and give its address with "
        "--set judge.api_base=http://HOST:8000/v1, or in HOSTED_VLLM_API_BASE"
    )


class _Unopened:
    """Stands for a model where only the judge's name and fingerprint are wanted."""

    def __init__(self, spec: ModelSpec) -> None:
        self.name = spec.model
        self.fingerprint = spec.fingerprint

    async def complete(self, request: Request) -> Turn:  # noqa: ARG002
        raise UsageError(f"{self.name} was not opened: a judge that is to grade needs load_judge(…, open_model=…)")

    async def close(self) -> None:
        """Nothing is held."""
