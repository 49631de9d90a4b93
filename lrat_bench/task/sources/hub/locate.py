"""Where the files of a part are: in a local copy, in the Hugging Face cache, or on the hub."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.error import URLError

from lrat_bench.errors import DataError, MissingLibrary, UsageError
from lrat_bench.files import sha256_file, write_atomic
from lrat_bench.task.hub_card import Part
from lrat_bench.task.sources.hub.copies import Sources, file_name, matching
from lrat_bench.task.sources.hub.filled import is_commit

__all__ = ["locate"]

_TIMEOUT = 60.0  # seconds without a byte

_ONE_OF = re.compile(r"-(\d+)-of-(\d+)\.")


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
    _require_commit(part)
    local = sources.find(name, part)
    if part.url is not None:
        return [_file(name, part, local, downloads)]
    folder = _of_revision(local, part) if local is not None and local.is_dir() else local
    if folder is None:
        folder = _fetched(name, part)
    found = [folder] if folder.is_file() else matching(folder, part)
    if not found:
        raise DataError(f"holds no file {' or '.join(part.files)}, which the {name} would be in", file=folder)
    _require_all(found)
    return found


def _require_commit(part: Part) -> None:
    if part.revision is not None and not is_commit(part.revision):
        key = part.revision.strip("{}")
        raise UsageError(
            f"the revision of {part.dataset} is not pinned by the card: look its commit up on the hub and give "
            f"--set task.{key}=COMMIT"
        )


def _require_all(files: Sequence[Path]) -> None:
    """See that no file is missing of those that say of how many they are one, as in `train-00000-of-00002.parquet`."""
    there: dict[tuple[Path, str, int], set[int]] = {}
    for file in files:
        if found := _ONE_OF.search(file.name):
            there.setdefault((file.parent, file.name[: found.start()], int(found[2])), set()).add(int(found[1]))
    for (folder, name, many), numbers in there.items():
        if len(numbers) < many:
            raise DataError(
                f"holds {len(numbers)} of the {many} files {name}-…-of-{many:05d}: the copy is not whole", file=folder
            )


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
    copy = f"give a copy with --source FOLDER, where it lies as {part.dataset}"
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
    place = local if local is not None else downloads / file_name(part)
    if place.is_dir():
        place /= file_name(part)
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

    mend = f"give a copy with --source FOLDER/{file_name(part)}"
    if constants.HF_HUB_OFFLINE:
        raise UsageError(f"the {name}, {part.url}, are not at hand, and HF_HUB_OFFLINE forbids to fetch them: {mend}")
    try:
        with closing(urllib.request.urlopen(str(part.url), timeout=_TIMEOUT)) as answer:  # noqa: S310 -- of a card
            write_atomic(place, answer.read())
    except (URLError, OSError, ValueError) as error:
        raise UsageError(f"the {name}, {part.url}, cannot be fetched ({error}): {mend}") from error
