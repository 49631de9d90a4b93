"""Every command, Python block and file on a page does what the page says, or is marked as needing what no test has."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from doc_examples import REPOSITORY, Block, Command, blocks, commands, pages, rules
from doc_world import DOCUMENTS, SMALL, make_world

from lrat_bench.cli.main import main

PAGES = pages()
COMMANDS = [command for page in PAGES for block in blocks(page) for command in commands(block)]
EXECUTED = [
    page
    for page in PAGES
    if page not in rules().elsewhere and any(block.lang == "python" or commands(block) for block in blocks(page))
]
_FEW = 6
_SIZED = ("run", "retrieve", "index", "flywheel")
_GENERATED = ("synth-wiki", "synth-wiki-ood")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_world(tmp_path_factory.mktemp("examples") / "world")


@pytest.fixture
def reader(
    world: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Reader]:
    """Somebody who types what stands on a page, in a world of their own."""
    here = shutil.copytree(world, tmp_path / "world")
    monkeypatch.chdir(here)
    monkeypatch.syspath_prepend(str(here))
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(here / "summary.md"))
    monkeypatch.setenv("CI", "true")
    for name, value in SMALL.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "path", [*sys.path])
    # Other tests, and the page before, have modules of the same names.
    _forget(tmp_path_factory.getbasetemp())
    yield Reader(here, monkeypatch, capsys)
    _forget(tmp_path_factory.getbasetemp())


def _forget(folder: Path) -> None:
    """The modules that lie below a folder are imported anew."""
    for name, module in sys.modules.copy().items():
        if (getattr(module, "__file__", None) or "").startswith(f"{folder}{os.sep}"):
            del sys.modules[name]


class Reader:
    """Types what stands on a page."""

    def __init__(self, here: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._here = here
        self._patch = patch
        self._capsys = capsys
        self._names: dict[str, Any] = {}

    def save(self, file: str, text: str) -> None:
        """A block that is a file."""
        path = self._here / file
        path.parent.mkdir(parents=True, exist_ok=True)
        # A sweep of a hundred questions a cell shows no more than one of two.
        path.write_text(re.sub(r"^limit: \d+", "limit: 2", text, flags=re.MULTILINE), encoding="utf-8")

    def execute(self, block: Block) -> None:
        """A block of Python; what an earlier one of the page named is known."""
        text = block.text.replace("runs/…", "runs/bm25")
        exec(compile(text, f"{block.page}:{block.line}", "exec"), self._names)

    def type(self, command: Command) -> None:
        """A command, which must end as the page says."""
        for one in command.text.split(" && "):
            words = _words(one)
            if words[0] == "export":
                for name, _, value in (word.partition("=") for word in words[1:]):
                    self._patch.setenv(name, SMALL.get(name, value))
                continue
            code, said = self._lrat_bench(words[1:]) if words[0] == "lrat-bench" else self._shell(one)
            assert code in rules().code(one), f"{command} ended with {code}:\n{said}"

    def _lrat_bench(self, words: list[str]) -> tuple[Any, str]:
        self._capsys.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            if "--replay" in words:
                # A replay takes the questions of its run.
                patch.delenv("LRAT_BENCH_RETRIEVE_LIMIT")
            elif words[0] in _SIZED and ("--task" not in words or words[words.index("--task") + 1] in _GENERATED):
                patch.setenv(f"LRAT_BENCH_{words[0].upper()}_SET", f"task.documents={DOCUMENTS}")
            with pytest.raises(SystemExit) as stop:
                main(words)
        said = self._capsys.readouterr()
        return stop.value.code, said.out + said.err

    def _shell(self, text: str) -> tuple[int, str]:
        done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=False, timeout=120)
        return done.returncode, done.stdout + done.stderr


def _words(text: str) -> list[str]:
    words: list[str] = []
    # Sizes alone are other than on the page: with few questions, every example takes a second or two.
    text = re.sub(r"(?<=--limit )\d+", lambda size: str(min(int(size[0]), _FEW)), text)
    for word in shlex.split(text, comments=True):
        expanded = os.path.expandvars(word.replace("runs/…", "runs/bm25").replace("…", ""))
        words += sorted(map(str, Path().glob(expanded))) or [expanded] if "*" in expanded else [expanded]
    return words


@pytest.mark.parametrize("page", EXECUTED)
def test_a_page_can_be_followed_as_it_stands(page: str, reader: Reader) -> None:
    done = 0
    for block in blocks(page):
        # A page may show what is in a file behind the command that reads it.
        if file := rules().file(block):
            reader.save(file, block.text)
    for block in blocks(page):
        if rules().file(block):
            continue
        if block.lang == "python" and not rules().need(block.text):
            reader.execute(block)
            done += 1
        for command in commands(block):
            if not rules().need(command.text):
                reader.type(command)
                done += 1
    assert done or all(rules().need(command.text) for command in COMMANDS if command.page == page)


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_what_its_fence_says(page: str) -> None:
    readers: dict[str, Callable[[str], Any]] = {
        "python": ast.parse,
        "yaml": yaml.safe_load,
        "toml": tomllib.loads,
        "json": _json,
    }
    for block in blocks(page):
        if block.lang in readers:
            readers[block.lang](block.text)
        else:
            assert block.lang in ("", "sh", "bash", "text"), f"{page}:{block.line}: {block.lang!r} is read by nobody"


def _json(text: str) -> None:
    """One document, or one a line."""
    try:
        json.loads(text)
    except json.JSONDecodeError:
        for line in text.splitlines():
            json.loads(line)


def test_every_mark_is_of_use() -> None:
    texts = [command.text for command in COMMANDS]
    texts += [block.text for page in PAGES for block in blocks(page) if block.lang == "python"]
    patterns = [pattern for several in rules().needs.values() for pattern in several]
    idle = [pattern for pattern in [*patterns, *rules().codes] if not any(re.search(pattern, text) for text in texts)]
    assert idle == []
    for page, test in rules().elsewhere.items():
        assert Path(page).parent.name in (REPOSITORY / test).read_text()
    for page, files in rules().files.items():
        for start in files:
            assert any(block.text.startswith(start) for block in blocks(page)), f"{page} has no block {start!r}"


def test_most_commands_are_executed() -> None:
    """Marks are for what cannot be helped: a page whose commands are all marked shows nothing that is known to work."""
    executed = [command for command in COMMANDS if rules().need(command.text) is None]
    assert len(executed) > 0.6 * len(COMMANDS)
    assert {"README.md", "docs/tutorial.md", "docs/guides/task.md"} <= {command.page for command in executed}
    tutorial = [command for command in COMMANDS if command.page == "docs/tutorial.md"]
    assert [command.text for command in tutorial if rules().need(command.text)] == [
        "make demo",
        ". .venv-demo/bin/activate",
    ]


def test_pages_are_those_of_the_site() -> None:
    built = {page for page in PAGES if page.startswith("docs/")}
    assert {page.relative_to(REPOSITORY).as_posix() for page in (REPOSITORY / "docs").glob("*.md")} <= built
