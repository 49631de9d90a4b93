"""The catalog: tasks by name, each a YAML card under `tasks/`, and the way from a name or folder to a task."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path

from lrat_bench.errors import DataError, UnknownName, UsageError
from lrat_bench.files import CACHE_MEND, build_once, cache_folder, fingerprint, writing
from lrat_bench.guard import GUARDED_CACHE_MEND, refuse_plain
from lrat_bench.progress import Progress, no_progress
from lrat_bench.registry import Entry, Registry, load_object
from lrat_bench.task.card import Setting, TaskCard, read_card
from lrat_bench.task.hub_card import HubCard
from lrat_bench.task.prepared import is_whole, seal
from lrat_bench.task.protocol import Protocol
from lrat_bench.task.sources.folder import load_folder
from lrat_bench.task.task import Task

__all__ = [
    "TASK_SOURCES",
    "is_prepared",
    "known_names",
    "known_tasks",
    "load_card",
    "load_task",
    "prepare_task",
    "require_task",
    "takes",
    "task_card",
]

TASK_SOURCES = Registry(
    "task source",
    {"synth-wiki": Entry("lrat_bench.task.sources.synth_wiki:prepare", "a generated encyclopedia and its questions")},
    group="lrat_bench.task_sources",
)
"""Names to `prepare(settings, folder, progress)`, which fills a new folder with the files of `load_folder`.

The module that holds it also holds `VERSION`, which changes when equal settings give other files.
"""


def known_names() -> list[str]:
    """The names of the catalog, in order."""
    return list(_card_files())


def known_tasks() -> list[TaskCard]:
    """The cards of the catalog, by name.

    Raises:
        DataError: a card is not as it must be.
    """
    return [_read(file) for file in _card_files().values()]


def task_card(name: str) -> TaskCard:
    """The card of one task.

    Raises:
        UnknownName: the catalog has no such task.
        DataError: its card is not as it must be.
    """
    files = _card_files()
    if name not in files:
        raise _unknown_task(name, files)
    return _read(files[name])


def load_task(
    spec: str,
    *,
    settings: Mapping[str, object] | None = None,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> tuple[Task, Protocol]:
    """The task and protocol that a user names.

    Args:
        spec: a name of the catalog or the path of a task folder, with `@PROTOCOL` behind it for another protocol than
            the default one. A name of the catalog comes before a folder of the same name; `./NAME` is the folder.
        settings: other values for settings of the card, as `--set task.key=value` gives them.
        cache: where generated folders and corpus indexes are kept; `files.cache_folder()` unless given.
        progress: told how preparing the task goes.

    Raises:
        UnknownName: no such task or protocol.
        UsageError: a setting does not exist or has another type, or the cache cannot be written.
        DataError: a file of the task does not hold what it must.
    """
    place, protocol = _place(spec)
    if isinstance(place, str):
        task = load_card(task_card(place), settings=settings, cache=cache, progress=progress)
    elif settings:
        raise UsageError(f"a task folder has no settings to set: {', '.join(map(repr, settings))}")
    else:
        task = load_folder(place, cache=cache, progress=progress)
    return task, task.protocol(protocol or None)


def require_task(spec: str) -> None:
    """See that the catalog or the disk has a task, without loading it.

    Args:
        spec: as for `load_task`.

    Raises:
        UnknownName: neither has.
    """
    place, _ = _place(spec)
    if isinstance(place, Path) and not place.is_dir():
        raise _unknown_task(spec, _card_files())


def load_card(
    card: TaskCard,
    *,
    settings: Mapping[str, object] | None = None,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> Task:
    """The task of a card, prepared in the cache when it is loaded for the first time; see `load_task`."""
    merged = _merged(card, settings or {})
    cache = cache or cache_folder()
    if card.hub is not None:
        source = _hub_source(card, merged)
        folder = _folder(card, source, cache)
        if not is_whole(folder):
            state = "damaged" if folder.exists() else "not prepared"
            raise UsageError(
                f"task {card.name!r} is {state}: `lrat-bench tasks prepare {card.name}` fetches it ({takes(card.hub)})"
            )
    else:
        prepare = TASK_SOURCES.load(card.source)
        version = load_object(TASK_SOURCES.entry(card.source).target.partition(":")[0] + ":VERSION")
        source = {"source": card.source, "version": version, "settings": merged}
        folder = _folder(card, source, cache)
        with writing(f"task {card.name!r} to {folder.parent}", mend=CACHE_MEND):
            _prepare_once(folder, lambda empty: prepare(merged, empty, progress))
    task = load_folder(
        folder,
        name=card.name,
        splits=card.splits,
        default_split=card.default_split,
        protocols=card.protocols,
        default_protocol=card.default_protocol,
        domain=card.domain,
        source=source,
        cache=cache,
        progress=progress,
    )
    if merged == card.settings or card.hub is not None:
        _check_counts(card, task, folder)
    return task


def prepare_task(
    spec: str,
    *,
    settings: Mapping[str, object] | None = None,
    sources: Sequence[str] = (),
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> tuple[Task, Protocol]:
    """Fetch or generate a task, unless it is there, and load it; one whose fetching was cut short is completed.

    Args:
        spec: as in `load_task`.
        settings: as in `load_task`.
        sources: local copies that take the place of the hub: `PATH` or `PART=PATH` (`hub.copies.Sources`).
        cache: as in `load_task`.
        progress: told how it goes.

    Raises:
        UsageError: something is not at hand, or there is no room for it, or sources are given for what needs none.
        DataError: what is found is not what the card says.
    """
    name = spec.partition("@")[0]
    card = task_card(name) if name in known_names() else None
    if card is None or card.hub is None:
        if sources:
            raise UsageError(f"--source {sources[0]}: task {name!r} is not fetched from anywhere")
    elif not is_prepared(card, settings=settings, cache=cache):
        from lrat_bench.task.sources.hub.copies import Sources
        from lrat_bench.task.sources.hub.prepare import blamed, prepare

        merged = _merged(card, settings or {})
        folder = _folder(card, _hub_source(card, merged), cache or cache_folder())
        if card.canary is not None:
            refuse_plain("documents and replies of judges", folder, mend=GUARDED_CACHE_MEND)
        given = Sources(sources)
        with writing(f"task {card.name!r} to {folder.parent}", mend=CACHE_MEND):
            prepare(card, merged, folder, given, task_card=task_card, progress=progress)
            try:
                return load_task(spec, settings=settings, cache=cache, progress=progress)
            except DataError as error:
                # What is wrong in the copy must not be kept as if it had been prepared.
                shutil.rmtree(folder)
                raise blamed(error, card, merged, given) from None
    return load_task(spec, settings=settings, cache=cache, progress=progress)


def is_prepared(card: TaskCard, *, settings: Mapping[str, object] | None = None, cache: Path | None = None) -> bool:
    """Whether a task of the hub is there, whole.

    Args:
        card: with a `hub`.
        settings: as in `load_task`.
        cache: as in `load_task`.
    """
    return is_whole(_folder(card, _hub_source(card, _merged(card, settings or {})), cache or cache_folder()))


def takes(hub: HubCard) -> str:
    """What preparing a task of the hub takes, for people."""
    needs = hub.takes
    return (
        f"download about {needs.download_gb:g} GB, {needs.disk_gb:g} GB more on disk, about {needs.minutes:g} minutes "
        "beside the download"
    )


def _folder(card: TaskCard, source: Mapping[str, object], cache: Path) -> Path:
    return cache / "tasks" / f"{card.name}-{fingerprint(source)[:12]}"


def _hub_source(card: TaskCard, settings: Mapping[str, Setting]) -> dict[str, object]:
    """What decides the files of a task of the hub; how long it takes does not."""
    from lrat_bench.task.sources.hub import VERSION

    assert card.hub is not None
    described = card.hub.model_dump(mode="json", exclude={"takes"}, exclude_none=True)
    guarded = {} if card.canary is None else {"canary": card.canary}
    return {"source": "hub", "version": VERSION, "settings": dict(settings), "hub": described, **guarded}


def _cards_folder() -> Path:
    package = Path(str(resources.files("lrat_bench")))
    installed = package / "tasks"  # where the wheel puts it; a checkout has it beside the package
    return installed if installed.is_dir() else package.parent / "tasks"


def _prepare_once(folder: Path, prepare: Callable[[Path], None]) -> None:
    """Prepare the folder, or use it as it is; one in which a file is missing or cut is prepared anew.

    It can be made again at any time, so nobody is asked.
    """

    def build(empty: Path) -> None:
        prepare(empty)
        seal(empty)

    if not build_once(folder, build) and not is_whole(folder):
        shutil.rmtree(folder)
        build_once(folder, build)


def _card_files() -> dict[str, Path]:
    return {file.stem: file for file in sorted(_cards_folder().glob("*.yaml"), key=lambda file: file.stem)}


def _place(spec: str) -> tuple[str | Path, str]:
    """What a spec names: a task of the catalog or a folder; and the protocol behind it, empty for the default one.

    Raises:
        UnknownName: it is neither a name of the catalog nor can it be a folder.
    """
    known = _card_files()
    name, _, protocol = spec.partition("@")
    if name in known:
        return name, protocol
    path, protocol = spec, ""
    if "@" in spec and not Path(spec).is_dir():
        path, _, protocol = spec.rpartition("@")
    folder = Path(path)
    if not (path and (folder.is_dir() or os.sep in path)):
        raise _unknown_task(name, known)
    return folder, protocol


def _unknown_task(name: str, known: Iterable[str]) -> UnknownName:
    return UnknownName("task", name, known, hint="A task folder works too: give its path, as in ./my-task.")


def _read(file: Path) -> TaskCard:
    card = read_card(file, TaskCard)
    if card.name != file.stem:
        raise DataError(f"name {card.name!r} must be the file's, {file.stem!r}", file=file)
    return card


def _merged(card: TaskCard, settings: Mapping[str, object]) -> dict[str, Setting]:
    merged = dict(card.settings)
    for key, given in settings.items():
        if not merged:
            raise UsageError(f"task {card.name!r} has no settings to set: {key!r}")
        if key not in merged:
            raise UnknownName(f"setting of task {card.name!r}", key, merged)
        wanted = type(merged[key])
        value = float(given) if wanted is float and type(given) is int else given
        if not isinstance(value, bool | int | float | str) or type(value) is not wanted:
            raise UsageError(_of_another_type(card, key, wanted, given))
        merged[key] = value
    return merged


def _of_another_type(card: TaskCard, key: str, wanted: type, given: object) -> str:
    problem = f"task.{key} of {card.name!r} must be of type {wanted.__name__}, got {given!r}"
    if wanted is str and isinstance(given, int | float):
        return f"{problem}, which is read as no text: put it in quotes, as in --set 'task.{key}=\"…\"'"
    return problem


def _check_counts(card: TaskCard, task: Task, folder: Path) -> None:
    if len(task.corpus) < (least := card.expected.documents_at_least or 0):
        raise DataError(f"{len(task.corpus)} documents instead of {least} at least: delete the folder", file=folder)
    for what, expected, found in (
        ("documents", card.expected.documents, len(task.corpus)),
        ("questions", card.expected.questions, len(task.questions)),
    ):
        if expected is not None and expected != found:
            raise DataError(
                f"{found} {what} instead of the {expected} that the card of {card.name!r} expects: "
                "delete the folder to prepare it anew",
                file=folder,
            )
