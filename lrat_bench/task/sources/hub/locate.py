"""Where the files of a part are: in a local copy, in the Hugging Face cache, or on the hub."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from urllib.error import URLError

from lrat_bench.errors import DataError, MissingLibrary, UsageError
from lrat_bench.files import sha256_file, write_atomic
from lrat_bench.task.card import Setting
from lrat_bench.task.hub_card import ANY, Part

__all__ = ["PARTS", "Sources", "locate"]

PARTS = ("questions", "corpus", "evidence", "gold")
"""What `--source PART=PATH` knows by name."""

_TIMEOUT = 60.0  # seconds without a byte


class Sources:
    """Local copies that take the place of the hub.

    Args:
        given: `PATH`, or `PART=PATH`. A file without a part is that of the questions; a folder without one holds the
            datasets under their ids (`organisation/name`), under their names, or is the copy of the only one.

    Raises:
        UsageError: one is not there, or a part is named that there is not.
    """

    def __init__(self, given: Sequence[str] = ()) -> None:
        self._of_part: dict[str, Path] = {}
        self._folders: list[Path] = []
        for one in given:
            part, equals, rest = one.partition("=")
            named = bool(equals) and not Path(one).exists()
            if named and part not in PARTS:
                raise UsageError(f"--source {one}: there is no part {part!r}; parts are {', '.join(PARTS)}")
            path = Path(rest if named else one).expanduser()
            if not path.exists():
                raise UsageError(f"--source {one}: there is no file or folder {str(path)!r}")
            if named:
                self._of_part[part] = path
            elif path.is_file():
                self._of_part["questions"] = path
            else:
                self._folders.append(path)

    def for_other(self) -> Sources:
        """The copies that may hold another benchmark, too: all but those that were given for a part."""
        other = Sources()
        other._folders = self._folders
        return other

    def find(self, name: str, part: Part) -> Path | None:
        """The local copy of a part; None where it is to be had from the hub."""
        if name in self._of_part:
            return self._of_part[name]
        for folder in self._folders:
            if part.dataset is None:
                found = folder / str(part.url).rpartition("/")[2]
                if found.exists():
                    return found
                continue
            for place in (
                part.dataset,
                part.dataset.rpartition("/")[2],
                f"datasets--{part.dataset.replace('/', '--')}",
            ):
                if (folder / place).is_dir():
                    return folder / place
            # Patterns that any file meets would take the questions for the corpus.
            if part.files != ANY and _matching(folder, part):
                return folder
        return None


def locate(name: str, part: Part, sources: Sources, *, downloads: Path) -> list[Path]:
    """The files of a part, in order.

    Args:
        name: of the part.
        part: with its settings filled in (`filled`).
        sources: local copies.
        downloads: folder for files from elsewhere than the hub.

    Raises:
        UsageError: it is not at hand, and cannot be had.
        DataError: it is not the one that is meant: another revision, another checksum, none of its files.
    """
    local = sources.find(name, part)
    if part.url is not None:
        return [_file(name, part, local, downloads)]
    folder = _of_revision(local, part) if local is not None and local.is_dir() else local
    if folder is None:
        folder = _fetched(name, part)
    if folder.is_file():
        return [folder]
    if not (found := _matching(folder, part)):
        raise DataError(f"holds no file {' or '.join(part.files)}, which the {name} would be in", file=folder)
    return found


def filled(part: Part, settings: Mapping[str, Setting]) -> Part:
    """The part with the values of settings in the places that name them.

    Raises:
        UsageError: a revision is not given, or is no commit.
    """

    def fill(text: str | None) -> str | None:
        return None if text is None else re.sub(r"\{(\w+)\}", lambda found: str(settings[found[1]]), text)

    revision = fill(part.revision)
    if revision is not None and not re.fullmatch(r"[0-9a-f]{7,40}", revision):
        key = str(part.revision).strip("{}")
        raise UsageError(
            f"the revision of {part.dataset} is not pinned by the card: look its commit up on the hub and give "
            f"--set task.{key}=COMMIT"
        )
    return part.model_copy(
        update={
            "dataset": fill(part.dataset),
            "revision": revision,
            "files": tuple(str(fill(pattern)) for pattern in part.files),
        }
    )


def _matching(folder: Path, part: Part) -> list[Path]:
    for pattern in part.files:
        if found := sorted(path for path in folder.glob(pattern) if path.is_file()):
            return found
    return []


def _of_revision(folder: Path, part: Part) -> Path:
    """The files of a local copy, where it says of which commit it is: that must be the one that is meant.

    A folder of the Hugging Face cache keeps commits apart; a folder that `hf download --local-dir` made has them beside
    each file. Any other copy cannot say, and is known by its counts.
    """
    revision = str(part.revision)
    snapshots = folder / "snapshots"
    if snapshots.is_dir():
        there = sorted(path.name for path in snapshots.iterdir())
        found = [name for name in there if name.startswith(revision)]
        if not found:
            raise DataError(
                f"holds commit {', '.join(there) or 'none'}, and the task is of {revision}: fetch that one", file=folder
            )
        return snapshots / found[0]
    for note in sorted((folder / ".cache" / "huggingface" / "download").glob("**/*.metadata")):
        commit = note.read_text(errors="replace").partition("\n")[0].strip()
        if not commit.startswith(revision):
            raise DataError(
                f"is of commit {commit[:40]!r}, and the task is of {revision}: fetch that one (hf download "
                f"{part.dataset} --repo-type dataset --revision {revision})",
                file=folder,
            )
    return folder


def _fetched(name: str, part: Part) -> Path:
    """The dataset in the Hugging Face cache, fetched unless it is there; a fetch that was cut short goes on."""
    try:
        from huggingface_hub import constants, snapshot_download
    except ImportError:
        raise MissingLibrary("huggingface_hub, which fetches datasets,", install='"lrat-bench[hub]"') from None
    # The hub's patterns know no folders: its `*` matches `/`, too.
    patterns = [*part.files, *(pattern.removeprefix("**/") for pattern in part.files)]
    what = f"the {name}, dataset {part.dataset} at commit {part.revision},"
    copy = f"give a copy with --source {name}=FOLDER"
    try:
        return Path(
            snapshot_download(
                str(part.dataset),
                repo_type="dataset",
                revision=part.revision,
                allow_patterns=patterns,
                local_files_only=constants.HF_HUB_OFFLINE,
            )
        )
    except Exception as error:  # whatever the network, the hub or the disk has against it
        if constants.HF_HUB_OFFLINE:
            raise UsageError(
                f"{what} is not in the local Hugging Face cache, and HF_HUB_OFFLINE forbids to fetch it: run `hf "
                f"download {part.dataset} --repo-type dataset --revision {part.revision}` while online, or {copy}"
            ) from None
        reason = " ".join(str(error).split())[:300]
        raise UsageError(
            f"{what} cannot be fetched ({type(error).__name__}: {reason}): what has come is kept, and the same command "
            f"goes on; or {copy}"
        ) from error


def _file(name: str, part: Part, local: Path | None, downloads: Path) -> Path:
    """The one file of a part that has an address, with the checksum that it must have."""
    place = local if local is not None else downloads / str(part.url).rpartition("/")[2]
    if place.is_dir():
        place /= str(part.url).rpartition("/")[2]
    if not place.exists():
        _download(name, part, place)
    found = sha256_file(place)
    if found != part.sha256:
        raise DataError(
            f"has SHA-256 {found[:12]}…, and the {name} of this task {str(part.sha256)[:12]}…: it is another version",
            file=place,
        )
    return place


def _download(name: str, part: Part, place: Path) -> None:
    from huggingface_hub import constants

    mend = f"give a copy with --source {name}=FILE"
    if constants.HF_HUB_OFFLINE:
        raise UsageError(f"the {name}, {part.url}, are not at hand, and HF_HUB_OFFLINE forbids to fetch them: {mend}")
    try:
        with closing(urllib.request.urlopen(str(part.url), timeout=_TIMEOUT)) as answer:  # noqa: S310 -- of a card
            write_atomic(place, answer.read())
    except (URLError, OSError, ValueError) as error:
        raise UsageError(f"the {name}, {part.url}, cannot be fetched ({error}): {mend}") from error
