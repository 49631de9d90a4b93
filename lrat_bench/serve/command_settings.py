"""What can be set on an agent that is a command: `--set agent.KEY=VALUE`."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.files import fingerprint, sha256_file
from lrat_bench.model.redact import is_secret_name, redact, remember
from lrat_bench.serve.confinement import Confinement, parse_confinement
from lrat_bench.serve.seat import AnswerBy
from lrat_bench.values import Texts, plainly

__all__ = ["Command", "CommandSettings", "read_command"]

_OURS = "LRAT_BENCH_"


class CommandSettings(BaseModel):
    """The settings of the room `agent`, where the agent is a command."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    answer: AnswerBy = Field(
        default="either",
        description="where the answer is taken from: what is sent to the endpoint, all that is printed on stdout, or "
        "the one that comes first",
    )
    env: Texts = Field(default=(), description="variables of ours that the command is given, by name")
    timeout: float = Field(default=3600.0, gt=0, description="seconds of one question, after which it is an error")
    confine: str = Field(default="none", description="none, network or container:IMAGE")
    show: Texts = Field(default=(), description="folders and files that a confined command is shown")
    version: str | None = Field(default=None, min_length=1, description="of the agent, where no file says it")

    @field_validator("version", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        """YAML reads `2` and `2.1` as numbers."""
        return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


@dataclass(frozen=True)
class Command:
    """A command line, and all that is known of it before it is started.

    Attributes:
        text: as typed.
        settings: beside it.
        confinement: as set.
    """

    text: str
    settings: CommandSettings
    confinement: Confinement

    @cached_property
    def words(self) -> tuple[str, ...]:
        """What is started: the program by its path, and files by theirs, since it starts in another folder."""
        program, *others = shlex.split(self.text)
        return (self._program(program), *(str(Path(one).absolute()) if _is_file(one) else one for one in others))

    @cached_property
    def files(self) -> dict[str, Path]:
        """The files that it names, as typed → path.

        The program is one of them where it is the agent itself, and no interpreter of one: given by a relative path, or
        by an absolute one without any other file.
        """
        program, *others = shlex.split(self.text)
        found = {one: Path(one).absolute() for one in others if _is_file(one)}
        own = "/" in program and (not Path(program).is_absolute() or not found)
        return {program: Path(program).absolute(), **found} if own and _is_file(program) else found

    @cached_property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of each of these files, as they are now."""
        return {name: sha256_file(path) for name, path in self.files.items()}

    @cached_property
    def passed(self) -> dict[str, str]:
        """The variables of ours that it is given."""
        return {name: os.environ[name] for name in self.settings.env}

    @property
    def name(self) -> str:
        """As it stands in tables; of an agent that is not known for sure, with a sign of what was set.

        Two of these are told apart by their names alone.
        """
        plain = {"answer", "env", "confine"}.isdisjoint(self.settings.model_fields_set)
        sign = "" if self.fingerprint or plain else f" #{fingerprint(self._known)[:8]}"
        return f"command:{redact(self.text)}{sign}"

    @cached_property
    def fingerprint(self) -> str | None:
        """Of all that is known to change what it does; None where no file and no version says what is started."""
        return fingerprint(self._known) if self.hashes or self.settings.version else None

    @cached_property
    def _known(self) -> dict[str, Any]:
        # A key may change from day to day; what other variables say may be the name of a model.
        variables = {name: None if is_secret_name(name) else value for name, value in self.passed.items()}
        return {
            "command": self.text,
            "answer": self.settings.answer,
            "version": self.settings.version,
            "confinement": [self.confinement.mode, self.confinement.image],
            "variables": variables,
            "files": self.hashes,
        }

    def describe(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "command": redact(self.text),
            "answer": self.settings.answer,
            "version": self.settings.version,
            "variables": sorted(self.settings.env),
            "files": self.hashes,
            "confinement": self.confinement.describe(),
        }

    def _program(self, name: str) -> str:
        if self.confinement.mode == "container":
            return name
        found = shutil.which(name)
        if found is None:
            raise UsageError(f"agent 'command:{redact(self.text)}': there is no program {name!r} that can be started")
        return str(Path(found).absolute())


def read_command(text: str, settings: Mapping[str, Any]) -> Command:
    """Read a command line and its settings, and see that it can be started here.

    Args:
        text: a command line as for a shell, which does not see it: `sh -c '…'` starts one.
        settings: what `--set agent.key=value` gave.

    Raises:
        UsageError: it is no command line, a setting does not fit, or something it needs is not there.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"agent 'command:{redact(text)}' cannot be taken apart: {error}") from None
    if not words or not words[0]:
        raise UsageError("agent 'command:' names no program: write command:'python my_agent.py'")
    if "\0" in text:
        raise UsageError("agent 'command:…' holds a NUL, which no command line can")
    for key in settings:
        if key not in CommandSettings.model_fields:
            raise UnknownName("setting of agent 'command:…'", key, CommandSettings.model_fields)
    try:
        read = CommandSettings.model_validate(dict(settings))
    except ValidationError as error:
        raise UsageError(f"agent.{plainly(error)}") from None
    for name in read.env:
        if name.startswith(_OURS):
            raise UsageError(f"agent.env: {name} is set by us: leave it out")
        if name not in os.environ:
            raise UsageError(f"agent.env: {name!r} is not set: set it, or leave it out")
        if is_secret_name(name):
            remember(os.environ[name])
    command = Command(text, read, parse_confinement(read.confine, read.show))
    _ = command.words
    command.confinement.check()
    return command


def _is_file(word: str) -> bool:
    try:
        return Path(word).is_file()
    except OSError:
        return False
