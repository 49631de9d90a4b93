"""The documentation site: built without a warning, complete, and of use in a browser without any network."""

from __future__ import annotations

import functools
import html
import http.server
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from browser import Browser, browser, chromium
from doc_examples import REPOSITORY

import lrat_bench
from lrat_bench.cli.main import cli
from lrat_bench.report.schemas import RECORDS
from lrat_bench.task.protocol import Rollout, Scoring

__all__ = ["browser", "chromium"]

SUB_PATH = "some/where"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it: strictly, so that a dead link or anchor is an error."""
    folder = tmp_path_factory.mktemp("docs") / "www" / SUB_PATH
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "LRAT_BENCH_SITE_URL": f"https://example.org/{SUB_PATH}/"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return folder


def _page(site: Path, address: str) -> str:
    return (site / address / "index.html").read_text(encoding="utf-8")


def _text(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", page))


def test_every_page_is_reached_from_the_menu(site: Path) -> None:
    menu = set(re.findall(r'href="?([^"> ]+)', (site / "index.html").read_text(encoding="utf-8")))
    for page in (REPOSITORY / "docs").rglob("*.md"):
        place = page.relative_to(REPOSITORY / "docs").with_suffix("").as_posix()
        assert f"{place}/" in menu or place == "index", place


def test_the_command_line_is_there_with_every_verb_and_option(site: Path) -> None:
    page = _page(site, "reference/cli")
    assert "Sentinel" not in page
    context = cli.make_context("lrat-bench", ["--help"], resilient_parsing=True)
    for verb in cli.list_commands(context):
        assert f'id="lrat-bench-{verb}"' in page
        command = cli.get_command(context, verb)
        assert command is not None
        for option in (name for one in command.params for name in one.opts if name.startswith("--")):
            assert f">{option}<" in page, f"{verb} {option}"


def test_every_public_name_of_python_is_there(site: Path) -> None:
    page = _page(site, "reference/python")
    for name in lrat_bench.__all__:
        assert re.search(rf'id="lrat_bench\.[\w.]*\b{name}"', page), name


def test_every_schema_is_there_and_can_be_fetched(site: Path) -> None:
    page = _page(site, "schemas")
    for file in (REPOSITORY / "docs" / "schemas").glob("*.json"):
        assert f'id="{file.name.removesuffix(".schema.json")}"' in page
        assert (site / "schemas" / file.name).read_bytes() == file.read_bytes()
    assert set(RECORDS) <= {file.name.removesuffix(".schema.json") for file in (site / "schemas").glob("*.json")}


def test_every_knob_of_every_protocol_is_there_with_its_source(site: Path) -> None:
    text = _text(_page(site, "protocols"))
    for knob in (*Rollout.model_fields, *(f"scoring.{name}" for name in Scoring.model_fields)):
        assert knob in text
    sources = yaml.safe_load((REPOSITORY / "docs" / "site" / "sources.yaml").read_text())["protocols"]
    cards = [yaml.safe_load(file.read_text()) for file in (REPOSITORY / "tasks").glob("*.yaml")]
    named = {name: protocol for card in cards for name, protocol in card["protocols"].items()}
    assert set(sources) == set(named)
    for name, protocol in named.items():
        scoring = [f"scoring.{knob}" for knob in protocol.get("scoring", {})]
        assert set(sources[name]) == {*protocol["rollout"], *scoring}, name
        for source in sources[name].values():
            assert " ".join(source.replace("`", "").split()) in text


def test_what_lies_outside_docs_is_part_of_it(site: Path) -> None:
    assert "How to get onto the board" in _page(site, "beyond/leaderboard")
    tracks = "leaderboard/tracks.yaml"
    assert (site / "beyond" / tracks).read_bytes() == (REPOSITORY / tracks).read_bytes()
    assert not list(site.rglob("*.py"))
    assert not list(site.rglob("sources.yaml"))


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert re.findall(r"<(?:script|img|iframe|source)[^>]*\ssrc=\"?(?:https?:)?//[^\s>]+", text) == []
        # A canonical link says where a page lies, and fetches nothing.
        fetched = re.findall(r"<link(?![^>]*rel=\"?canonical)[^>]*\shref=\"?(?:https?:)?//[^\s>]+", text)
        assert fetched == []
    for style in site.rglob("*.css"):
        assert not re.search(r"@import|url\(\"?(?:https?:)?//", style.read_text(encoding="utf-8"))


def test_no_page_names_a_machine(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert str(REPOSITORY) not in page.read_text(encoding="utf-8"), page


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    """Of the site on a server, below a path, as GitHub Pages has it."""
    root = site.parents[len(SUB_PATH.split("/")) - 1]
    handler = functools.partial(_Silent, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{SUB_PATH}/"
        server.shutdown()


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_reader_finds_a_word_and_follows_it(address: str, browser: Browser) -> None:
    browser.open(address)
    assert "does this retriever help agents?" in browser.text()
    browser.one("input[name=query]").send_keys("McNemar")
    found = "a.md-search-result__link[href*='comparing/']"
    browser.until(lambda: any("McNemar" in text for text in browser.texts(found)))
    browser.one(found).click()
    browser.until(lambda: "/comparing/" in browser.driver.current_url)
    browser.until(lambda: "How much better is one run than another" in browser.text())
    assert browser.complaints() == []


def test_a_reader_walks_from_the_start_to_the_reference(address: str, browser: Browser) -> None:
    browser.open(address)
    browser.one("article a[href='tutorial/']").click()
    browser.until(lambda: "Ten-minute tutorial" in browser.text())
    browser.open(f"{address}guides/retriever/")
    browser.one("article a[href*='reference/python']").click()
    browser.until(lambda: "BuildContext" in browser.text())
    browser.resize(400)
    assert browser.overflow <= 0
    assert browser.complaints() == []
