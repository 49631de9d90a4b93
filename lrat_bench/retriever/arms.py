"""Retrievers within a retriever: how their words and their settings are told apart."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.retriever.base import BuildContext, Retriever
from lrat_bench.retriever.catalog import RETRIEVERS, load_retriever

__all__ = ["close_arms", "load_arms", "own_settings", "split_arms"]


def split_arms(argument: str) -> list[str]:
    """The retrievers of `A+B+…`; a plus within a name (`dense:models/a+b`) stays where no retriever follows it.

    Raises:
        UsageError: one of them is empty.
    """
    arms: list[str] = []
    for piece in argument.split("+"):
        name, colon, _ = piece.partition(":")
        starts = name in RETRIEVERS or (colon and name.replace(".", "_").isidentifier())
        if arms and piece.strip() and not starts:
            arms[-1] += f"+{piece}"
        else:
            arms.append(piece)
    if not all(arm.strip() for arm in arms):
        raise UsageError(f"an arm of {argument!r} is empty: write A+B, as in bm25+dense:MODEL")
    return arms


def load_arms(specs: Sequence[str], context: BuildContext) -> list[Retriever]:
    """Make the arms, each with the settings that carry its name: `bm25.k1` is `k1` of every arm `bm25`.

    The name of `my.module:Thing` is `my.module`, so that `my.module.k` is its `k`.

    Raises:
        UsageError: an arm cannot be made, or a setting names more of it than that; those that were made are closed.
    """
    made: list[Retriever] = []
    try:
        for spec in specs:
            settings = _settings_of(spec, context.settings)
            made.append(load_retriever(spec, replace(context, settings=settings)))
    except BaseException:
        close_arms(made)
        raise
    return made


def close_arms(arms: Sequence[Retriever]) -> None:
    """Close them all; one that fails at it keeps none from it, and is told at the end."""
    failed: Exception | None = None
    for arm in arms:
        try:
            arm.close()
        except Exception as error:  # noqa: BLE001 -- code of anybody's
            failed = failed or error
    if failed is not None:
        raise failed


def own_settings(
    retriever: str, settings: Mapping[str, Any], known: Collection[str], arms: Sequence[str]
) -> dict[str, Any]:
    """The settings that are not of an arm.

    Raises:
        UnknownName: one is neither known nor of an arm.
    """
    names = list(dict.fromkeys(arm.partition(":")[0] for arm in arms))
    own = {
        key: value
        for key, value in settings.items()
        if not any(key == name or key.startswith(f"{name}.") for name in names)
    }
    for key in own:
        if key not in known:
            offered = [*known, *(f"{name}.KEY" for name in names)]
            raise UnknownName(f"setting of retriever {retriever!r}", key, offered)
    return own


def _settings_of(spec: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    name, _, thing = spec.partition(":")
    nested = settings.get(name)
    if not isinstance(nested, Mapping | None):
        raise UsageError(f"{name!r} takes settings by name, as in --set retriever.{name}.KEY=VALUE; got {nested!r}")
    found = {str(key): value for key, value in (nested or {}).items()}
    prefix = f"{name}."
    found |= {key.removeprefix(prefix): value for key, value in settings.items() if key.startswith(prefix)}
    if name not in RETRIEVERS:
        for key, value in found.items():
            if key.startswith(f"{thing}.") or (key == thing and isinstance(value, Mapping)):
                right = f"{name}.{next(iter(value), 'KEY') if key == thing else key.removeprefix(f'{thing}.')}"
                raise UsageError(
                    f"settings of {spec!r} go by the name of its module: give --set retriever.{right}=VALUE, not "
                    f"retriever.{name}.{key}"
                )
    return found
