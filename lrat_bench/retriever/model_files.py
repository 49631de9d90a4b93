"""The folder a model's weights are in: found on this machine or fetched, refused where unsafe, known by its content."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Any

from lrat_bench.errors import DataError, MissingLibrary, UsageError
from lrat_bench.files import CACHE_MEND, fingerprint, sha256_file, write_json, writing

__all__ = ["DENSE_EXTRA", "RECORD", "ModelFiles", "find_model"]

DENSE_EXTRA = '"lrat-bench[dense]"'
"""What pip is given where a library of dense retrieval is missing."""

_WEIGHTS = ("*.safetensors",)
_PICKLES = ("pytorch_model*.bin", "model*.bin", "*.pt", "*.pth", "*.ckpt")
_DECIDING = (
    *_WEIGHTS,
    "*.safetensors.index.json",
    "config.json",
    "modules.json",
    "config_sentence_transformers.json",
    "sentence_*_config.json",
    "router_config.json",
    "*tokenizer*.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "*.model",
    "*.tiktoken",
    "bpe.codes",
    "*processor_config.json",
    "chat_template*",
    "*.py",
)
"""What decides a model's output; a README, a training state or another framework's weights do not."""

RECORD = "lrat-bench.json"
"""What `lrat-bench train` leaves beside a model; it decides nothing of the output."""

_BIG = 1_000_000
"""From how many bytes on a file's hash is kept in the cache."""


@dataclass(frozen=True)
class ModelFiles:
    """A model's folder, read as files: no library of models is imported.

    Attributes:
        name: as typed.
        folder: where its files are.
        cache: where hashes of big files are kept.
        hub: whether it came from the Hugging Face hub.
    """

    name: str
    folder: Path
    cache: Path
    hub: bool = False

    @cached_property
    def modules(self) -> list[dict[str, Any]] | None:
        """The parts that sentence-transformers builds the model of; None for a folder of plain transformers."""
        path = self.folder / "modules.json"
        if not path.exists():
            return None
        found: list[Any] = self.read("modules.json", list)
        for module in found:
            if not (isinstance(module, dict) and isinstance(module.get("type"), str)):
                raise DataError(f"must hold objects with a type, and has {module!r}: get the model anew", file=path)
            place = module.get("path") or ""
            if not isinstance(place, str) or Path(place).is_absolute() or ".." in Path(place).parts:
                raise DataError(f"has a part at {place!r}, and all lie in its folder: get the model anew", file=path)
        return found

    @cached_property
    def config(self) -> dict[str, Any]:
        """`config.json` of the transformer, empty where there is none."""
        return self.read("config.json", dict) if (self.folder / "config.json").exists() else {}

    @cached_property
    def stored(self) -> dict[str, Any]:
        """`config_sentence_transformers.json`: kind, prompts; empty where there is none."""
        name = "config_sentence_transformers.json"
        return self.read(name, dict) if (self.folder / name).exists() else {}

    @property
    def tainted(self) -> bool | None:
        """Whether it was trained on pairs of evaluation questions; None where the folder does not say."""
        found = self.read(RECORD, dict).get("tainted") if (self.folder / RECORD).exists() else None
        return found if isinstance(found, bool) else None

    @property
    def commit(self) -> str | None:
        """The commit on the hub that the files are of; None for a folder."""
        return self.folder.name if self.hub else None

    def fingerprint(self) -> str:
        """SHA-256 over names and content of the files that decide what the model computes; paths do not enter."""
        return fingerprint({path.relative_to(self.folder).as_posix(): self._hash(path) for path in self._deciding()})

    def refuse_unsafe(self, *, trust_remote_code: bool) -> None:
        """Refuse weights that can only be read by running what is in them, and code that came with the model.

        Raises:
            UsageError: the folder holds no model, pickled weights alone, an adapter without its model, or code of
                its own while `trust_remote_code` is false.
        """
        if not self.config and self.modules is None:
            raise UsageError(f"{str(self.folder)!r} holds no model: it has neither config.json nor modules.json")
        if (self.folder / "adapter_config.json").exists():
            raise UsageError(
                f"model {self.name!r} is an adapter without the model it belongs to: merge it into that (in peft, "
                "merge_and_unload) and save the whole"
            )
        for part in self._parts():
            if not _has_weights(part) and (pickled := _first(part, _PICKLES)):
                raise UsageError(
                    f"model {self.name!r} has weights as a pickle alone ({pickled.relative_to(self.folder)}), which "
                    "can run code when it is read: save the model again as safetensors"
                )
        if not any(map(_has_weights, self._parts())):
            raise UsageError(f"model {self.name!r} has no weights (*.safetensors) in {str(self.folder)!r}")
        if not trust_remote_code and (code := self._foreign_code()):
            raise UsageError(
                f"model {self.name!r} runs code that came with it ({code}): read it, and give "
                "--set retriever.trust_remote_code=true, or take another model"
            )

    def refuse_other_kinds(self, kind: str) -> None:
        """Refuse a model that was saved as another kind than `SentenceTransformer` or `CrossEncoder`.

        Raises:
            UsageError: it says so of itself, or by its head it is a cross-encoder.
        """
        found = self.stored.get("model_type", "CrossEncoder" if self._scores_pairs else kind)
        if found != kind:
            mend = {
                "SentenceTransformer": f"dense:{self.name}",
                "CrossEncoder": f"rerank:{self.name}@bm25",
            }.get(str(found), "another model")
            raise UsageError(f"model {self.name!r} is a {found}, and a {kind} is needed here: give {mend}")

    @property
    def _scores_pairs(self) -> bool:
        """Whether a folder of plain transformers has the head that cross-encoders have."""
        built = self.config.get("architectures") or ()
        return self.modules is None and any(str(name).endswith("ForSequenceClassification") for name in built)

    @property
    def pinned(self) -> bool:
        """Whether all that decides the output lies in the folder; code named by another repository does not."""
        named = [str(module.get("type")) for module in self.modules or ()]
        for name in ("config.json", "tokenizer_config.json"):
            if (self.folder / name).exists():
                named += _texts_of(self.read(name, dict).get("auto_map"))
        return not any("--" in target for target in named)

    def read(self, name: str, kind: type) -> Any:
        """The content of one of the JSON files.

        Raises:
            DataError: it is not JSON, or not a `kind`.
        """
        path = self.folder / name
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"cannot be read as JSON ({error}): get the model anew", file=path) from None
        if not isinstance(content, kind):
            raise DataError(f"must hold a JSON {'object' if kind is dict else 'list'}: get the model anew", file=path)
        return content

    def _parts(self) -> list[Path]:
        """The folders that parts of the model lie in, the root first."""
        named = [self.folder / str(module.get("path") or "") for module in self.modules or ()]
        parts = [part for part in dict.fromkeys([self.folder, *named]) if part.is_dir()]
        # A router keeps its routes in folders of its own, which no list of modules names.
        routes = [
            child
            for part in parts
            if (part / "router_config.json").exists()
            for child in sorted(part.iterdir())
            if child.is_dir() and not child.name.startswith((".", "checkpoint"))
        ]
        return list(dict.fromkeys([*parts, *routes]))

    def _deciding(self) -> list[Path]:
        found: set[Path] = set()
        for part in self._parts():
            # A part's own folder holds nothing else; the root is where everybody leaves things.
            patterns = _DECIDING if part == self.folder else (*_DECIDING, "*.json")
            found.update(path for path in part.iterdir() if path.is_file() and _fits(path.name, patterns))
        found.update(path for path in self.folder.rglob("*.py") if path.is_file())
        return sorted(found)

    def _hash(self, path: Path) -> str:
        stat = path.stat()
        if stat.st_size < _BIG:
            return sha256_file(path)
        key = [os.fspath(path.resolve()), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
        kept = self.cache / "hashes" / f"{fingerprint(list(map(str, key)))[:32]}.json"
        try:
            found = str(json.loads(kept.read_text())["sha256"])
        except (OSError, ValueError, KeyError, TypeError):
            found = sha256_file(path)
            with writing(f"to {kept.parent}", mend=CACHE_MEND):
                write_json(kept, {"file": ascii(os.fspath(path)), "sha256": found})
        return found

    def _foreign_code(self) -> str | None:
        for module in self.modules or ():
            if not str(module.get("type")).startswith("sentence_transformers."):
                return str(module.get("type"))
        # Architectures that transformers knows itself need no auto_map; who has one, asks for its own code.
        return next(iter(_texts_of(self.config.get("auto_map"))), None)


def find_model(argument: str, *, revision: str | None, cache: Path) -> ModelFiles:
    """The files of a model: a folder, or a name on the Hugging Face hub, fetched unless the local cache has it.

    Args:
        argument: a folder, or `organisation/name`.
        revision: branch, tag or commit on the hub; None is its main branch.
        cache: where hashes of big files are kept.

    Raises:
        UsageError: there is no such folder, and no such model that could be had.
    """
    folder = Path(argument).expanduser()
    if folder.is_dir():
        if revision is not None:
            raise UsageError(f"{argument!r} is a folder, which has no revision: leave retriever.revision out")
        return ModelFiles(argument, folder.resolve(), cache)
    if folder.exists():
        raise UsageError(f"{argument!r} is a file: give the folder of the model")
    if argument.startswith((".", "/", "~")) or argument.count("/") > 1 or not argument.strip():
        raise UsageError(f"there is no model folder {argument!r}")
    return ModelFiles(argument, _snapshot(argument, revision), cache, hub=True)


def _snapshot(name: str, revision: str | None) -> Path:
    """The folder of a hub model in the local cache; fetched where it is not there, or not whole."""
    try:
        from huggingface_hub import constants, snapshot_download
    except ImportError:
        raise MissingLibrary("huggingface_hub, which finds models by name,", install=DENSE_EXTRA) from None
    try:
        found = Path(snapshot_download(name, revision=revision, local_files_only=True))
        if _whole(found):
            return found
        missing = "not whole in the local cache"
    except (OSError, ValueError):
        missing = "neither a folder nor in the local Hugging Face cache"
    version = "" if revision is None else f" --revision {revision}"
    if constants.HF_HUB_OFFLINE:
        raise UsageError(
            f"model {name!r} is {missing}, and HF_HUB_OFFLINE forbids to fetch it: run `hf download {name}{version}` "
            "while online, or give a folder"
        )
    try:
        wanted = [*_DECIDING, *(f"*/{one}" for one in _DECIDING), "*/*.json", RECORD]
        return Path(snapshot_download(name, revision=revision, allow_patterns=wanted))
    except Exception as error:  # whatever the network, the hub or the disk has against it
        reason = " ".join(str(error).split())[:300]
        raise UsageError(
            f"model {name!r} is {missing} and cannot be fetched ({type(error).__name__}: {reason}): mind the name, "
            "or give a folder"
        ) from error


def _whole(folder: Path) -> bool:
    """Whether weights are there, all of those that an index of them names; another command may have fetched a part."""
    if not ((folder / "config.json").exists() or (folder / "modules.json").exists()):
        return False
    for index in folder.glob("*.safetensors.index.json"):
        try:
            needed = set(json.loads(index.read_text())["weight_map"].values())
        except (OSError, ValueError, KeyError, AttributeError):
            return False
        if not all((folder / name).exists() for name in needed):
            return False
    return any(folder.glob("**/*.safetensors")) or any(folder.glob("**/pytorch_model*.bin"))


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def _texts_of(value: Any) -> list[str]:
    """All texts in a value of a configuration, however deep."""
    if isinstance(value, dict | list):
        return [text for inner in (value.values() if isinstance(value, dict) else value) for text in _texts_of(inner)]
    return [value] if isinstance(value, str) else []


def _first(folder: Path, patterns: tuple[str, ...]) -> Path | None:
    return next((path for path in sorted(folder.iterdir()) if _fits(path.name, patterns)), None)


def _has_weights(folder: Path) -> bool:
    return _first(folder, _WEIGHTS) is not None
