"""The board in a browser: it sorts, filters, opens, fits a narrow window, and runs nothing that a stranger wrote."""

from __future__ import annotations

import contextlib
import csv
import http.server
import io
import json
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from browser import Browser
from selenium.webdriver.support.ui import Select
from submissions import Newcomer, change, change_records, write_tracks

from lrat_bench.errors import UsageError
from lrat_bench.leaderboard.attestations import attest
from lrat_bench.leaderboard.board import Board, board_csv
from lrat_bench.leaderboard.plots import _name
from lrat_bench.leaderboard.shown import place_among, place_text
from lrat_bench.leaderboard.site import Built, build
from lrat_bench.leaderboard.tracks import Tracks, load_tracks
from lrat_bench.leaderboard.validate import validate

SCRIPT = "<script>window.pwned = 1</script>"
IMAGE = "<img src=x onerror='window.pwned = 1'>"


@pytest.fixture(scope="module")
def built(others: Path, tracks: Tracks, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A board of three: one is hostile, one attested, one that does not hold and is left out."""
    folder = tmp_path_factory.mktemp("board")
    submissions = folder / "submissions"
    shutil.copytree(others, submissions)
    hostile(submissions / "the-none")
    found = validate(submissions / "the-oracle", tracks)
    for tier in ("retrieval-verified", "recomputed"):
        kept = validate(submissions / "the-oracle", tracks, attested=True).attestations
        place = submissions / "the-oracle"
        attest(place, kept, tier=tier, digest=found.digest, by=IMAGE, evidence=f"{SCRIPT}\nall")
    shutil.copytree(submissions / "my-bm25", submissions / "a-copy")
    return build(folder / "site", submissions, tracks, plots=False)


def hostile(folder: Path) -> None:
    """A script in every text that a submission may hold."""

    def spoil(content: dict[str, Any]) -> None:
        content["entry"] |= {
            "id": f"=cmd|' /C calc'!A0 {SCRIPT}",
            "licence": IMAGE,
            "summary": f"{SCRIPT}\n{IMAGE} $\\frac{{1}}$ {{{{ 7 * 7 }}}}",
            "url": "https://example.org/?a=1&b=(window.pwned)",
        }
        content["scaffold"] = {"kind": "custom", "note": f'"></p>{SCRIPT}'}
        content["contact"] = {"name": f"</th>{IMAGE}", "reach": "javascript:window.pwned=1"}
        content["disclosure"]["data"] = f"{SCRIPT} {{% raw %}}"
        for run in content["runs"]:
            run["set"] = {f"task.{SCRIPT}": IMAGE}
            run["versions"] = {SCRIPT: IMAGE}
            run["commit"] = SCRIPT
            run["judge"] = SCRIPT
            run["seed"] = 7
            run["retriever"]["details"] = {SCRIPT: [IMAGE, {"a": SCRIPT}]}
            run["agent"]["reported"] = IMAGE
            run["trajectories"]["where"] = "https://example.org/#<b>".replace("<b>", "%3Cb%3E")

    def say(records: list[Any]) -> None:
        for record in records:
            if record["verdict"]:
                record["verdict"] |= {"extracted_answer": f"{SCRIPT} & co", "reply": f"</details>{IMAGE}"}

    change(folder, spoil)
    for task in ("synth-wiki", "synth-wiki-ood"):
        change_records(folder, task, say)


def places(browser: Browser) -> list[str]:
    """Names of the rows that are shown, in their order."""
    return [text.split("\n")[0] for text in browser.texts("#board tbody tr:not(.empty) th")]


def test_the_front_page_leads_to_every_track(built: Built, browser: Browser, tracks: Tracks) -> None:
    browser.open(built.path / "index.html")
    links = browser.run("return [...document.querySelectorAll('main a')].map((one) => one.getAttribute('href'))")
    assert {f"tracks/{track.name}.html" for track in tracks} <= set(links)
    assert all(not link.startswith(("/", "file:")) for link in links)
    assert "Retrievers under Tongyi-DeepResearch 30B" in browser.text()
    assert browser.complaints() == []


def test_the_board_sorts_and_filters(built: Built, browser: Browser) -> None:
    browser.open(built.path / "tracks" / "demo.html")
    browser.one("[data-controls] [data-count]")
    assert places(browser)[:2] == ["oracle", "BM25 (Lucene)"]
    heads = browser.texts("#board thead th")
    steps = next(at for at, head in enumerate(heads) if head.startswith("steps"))
    browser.run("document.querySelectorAll('#board thead th')[arguments[0]].querySelector('button').click()", steps)
    values = browser.run(
        "const rows = [...document.querySelectorAll('#board tbody tr')];"
        "return rows.map((row) => Number(row.cells[arguments[0]].dataset.value))",
        steps,
    )
    assert values == sorted(values)
    search = browser.one("[data-filter]")
    search.send_keys("lucene")
    assert places(browser) == ["BM25 (Lucene)"]
    assert browser.texts("[data-count]") == ["1 of 3 rows"]
    tiers = [one.text for one in Select(browser.one("select[data-facet=tier]")).options]
    assert tiers == ["all", "recomputed", "retrieval-verified", "self-reported"]
    search.clear()
    search.send_keys("\b")
    Select(browser.one("select[data-facet=tier]")).select_by_visible_text("recomputed")
    assert places(browser) == ["oracle"]
    assert browser.texts("#board tbody tr:not([hidden]) .badge") == ["recomputed", "retrieval-verified"]
    assert browser.complaints() == []


def test_the_keyboard_sorts_and_opens(built: Built, browser: Browser) -> None:
    browser.open(built.path / "tracks" / "demo.html")
    browser.run("document.querySelector('#board thead th:nth-child(2) button').focus()")
    browser.press("ENTER")
    assert browser.one("#board thead th:nth-child(2)").get_attribute("aria-sort") == "ascending"
    browser.run("document.querySelector('#board tbody a[href$=\"my-bm25.html\"]').focus()")
    browser.press("ENTER")
    browser.until("document.title === 'BM25 (Lucene)'")
    assert browser.complaints() == []


def test_a_submission_shows_its_numbers_and_questions(built: Built, browser: Browser) -> None:
    browser.open(built.path / "submissions" / "my-bm25.html")
    text = browser.text()
    for words in (
        "self-reported",
        "place 2 of 3",
        "anserini-1.6.0",
        "BM25 is not trained.",
        "evidence recall",
        "test-0019",
    ):
        assert words in text
    Select(browser.one("[data-controls=questions] select[data-facet=outcome]")).select_by_visible_text("correct")
    shown = browser.texts("#questions tbody tr .badge")
    assert set(shown) == {"correct"}
    outcomes = built.board.tracks[-1].entries
    assert 0 < len(shown) < 40
    assert len(outcomes) == 3
    assert browser.complaints() == []


@pytest.mark.parametrize("page", ["tracks/demo.html", "submissions/the-none.html", "submissions/the-oracle.html"])
def test_what_strangers_wrote_is_shown_and_does_nothing(built: Built, browser: Browser, page: str) -> None:
    browser.open(built.path / page)
    browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    text = browser.text()
    assert ("window.pwned = 1" in text) is True
    assert browser.run("return window.pwned") is None
    assert browser.run("return document.querySelectorAll('main script, main img[src=x], main b').length") == 0
    assert browser.run("return [...document.links].filter((one) => !/^(https?|file):/.test(one.href)).length") == 0
    assert browser.complaints() == []


def test_what_keepers_should_look_at_is_shown(built: Built, browser: Browser) -> None:
    browser.open(built.path / "submissions" / "the-oracle.html")
    (text,) = browser.texts(".note")
    assert "may be quite honest" in text
    assert "synth-wiki-ood: the first list of 20 of 20 questions holds relevant documents before any other" in text
    browser.open(built.path / "submissions" / "my-bm25.html")
    assert browser.texts(".note") == []


def test_names_break_between_words_in_a_narrow_window(built: Built, browser: Browser) -> None:
    for page in ("index.html", "submissions/the-oracle.html"):
        browser.open(built.path / page)
        browser.resize(400)
        thin = browser.run(
            "return [...document.querySelectorAll('tbody th')].filter((one) => one.clientWidth < 96)"
            ".map((one) => one.textContent)"
        )
        assert thin == []


def test_it_fits_a_narrow_window(built: Built, browser: Browser) -> None:
    for page in ("index.html", "tracks/demo.html", "tracks/retriever-glm-4.7.html", "submissions/the-none.html"):
        browser.open(built.path / page)
        browser.resize(400)
        assert browser.overflow <= 0, page


def test_it_works_below_a_path_of_a_server(newcomer: Newcomer, browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "a" / "sub").mkdir(parents=True)
    (tmp_path / "a" / "sub" / "path").symlink_to(newcomer.site)
    with served(tmp_path) as address:
        browser.open(f"{address}/a/sub/path/index.html")
        browser.one("a[href='tracks/demo.html']").click()
        browser.until("document.title === 'Demonstration'")
        assert browser.run("return [...document.images].every((one) => one.complete && one.naturalWidth > 0)")
        browser.one("a[href$='my-bm25.html']").click()
        browser.until("document.title === 'BM25 (Lucene)'")
        assert browser.complaints() == []


def test_published_figures_are_marked_and_have_no_place(built: Built, browser: Browser) -> None:
    browser.open(built.path / "tracks" / "agent-bm25.html")
    rows = browser.texts("#board tbody tr")
    assert len(rows) == 10
    assert all("published" in row and "BrowseComp-Plus, Table 1" in row for row in rows)
    assert set(browser.texts("#board tbody tr td:first-child")) <= {""}
    table = json.loads((built.path / "board.json").read_text())
    track = next(one for one in table["tracks"] if one["name"] == "agent-bm25")
    assert {row["standing"] for row in track["rows"]} == {None}
    assert {row["tier"] for row in track["rows"]} == {None}


def test_json_and_csv_hold_the_same(built: Built) -> None:
    board = Board.model_validate_json((built.path / "board.json").read_bytes())
    assert board == built.board
    with (built.path / "board.csv").open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    told = {(one["track"], one["name"], one["task"], one["measure"]): one["value"] for one in lines}
    for track in board.tracks:
        for row in track.rows:
            for result in row.results:
                for metric in result.metrics:
                    value = told[track.name, row.name, result.task, metric.name]
                    assert value == ("" if metric.value is None else str(metric.value))
    assert not any(cell.startswith(("=", "+", "@")) for line in lines for cell in line.values())


def test_no_cell_of_the_csv_is_a_formula_whatever_splits_it(built: Built) -> None:
    row = built.board.tracks[-1].entries[0].model_copy(update={"label": 'x;=HYPERLINK("u"); +1;-2'})
    track = built.board.tracks[-1].model_copy(update={"rows": (row,)})
    text = board_csv(built.board.model_copy(update={"tracks": (track,)}))
    told = next(csv.DictReader(io.StringIO(text)))
    assert told["label"] == "x;'=HYPERLINK(\"u\"); '+1;'-2"
    assert next(csv.DictReader(io.StringIO(text)))["value"] == str(row.results[0].metrics[0].value)


def test_answers_are_clipped_on_a_page(submission: Path, small: Tracks, tmp_path: Path) -> None:
    def talk(records: list[Any]) -> None:
        for record in records:
            if record["verdict"]:
                record["verdict"] |= {"extracted_answer": "W" * 19_000, "reply": "y" * 19_000}

    change_records(submission, "synth-wiki", talk)
    built = build(tmp_path / "site", submission.parent, small, plots=False)
    assert built.refused == ()
    page = (built.path / "submissions" / "my-bm25.html").read_text()
    assert "W" * 499 + "…" in page
    assert "W" * 500 not in page
    assert "y" * 500 not in page


def test_a_name_that_the_font_lacks_is_drawn_as_the_submissions(built: Built) -> None:
    row = built.board.tracks[-1].entries[0]
    assert _name(row.model_copy(update={"label": "检索器"})) == "the-oracle"
    assert _name(row) == row.label


def test_one_alone_under_its_commit_has_no_place(built: Built) -> None:
    standing = built.board.tracks[-1].entries[0].standing
    assert standing is not None
    commit = "0123456789abcdef" * 2 + "01234567"
    alone = standing.model_copy(update={"best_rank": None, "worst_rank": None, "of": 1, "among": commit})
    assert (place_text(alone), place_among(alone)) == ("", "alone under commit 0123456789ab")
    assert place_among(standing.model_copy(update={"among": commit})) == "1 of 3 under commit 0123456789ab"


def test_what_does_not_hold_is_left_out(built: Built) -> None:
    (refused,) = built.refused
    assert refused.path.name == "a-copy"
    assert "must be that of its folder" in str(refused.findings[0])
    assert not (built.path / "submissions" / "a-copy.html").exists()
    names = [row.name for row in built.board.tracks[-1].entries]
    assert names == ["the-oracle", "my-bm25", "the-none"]


def test_entries_that_the_questions_tell_apart_share_no_letter(built: Built) -> None:
    standings = [row.standing for row in built.board.tracks[-1].entries]
    letters = [set(one.letters) for one in standings if one is not None]
    assert len(letters) == 3
    assert all(one.isdisjoint(other) for at, one in enumerate(letters) for other in letters[at + 1 :])
    assert [(one.best_rank, one.worst_rank) for one in standings if one is not None] == [(1, 1), (2, 2), (3, 3)]


@pytest.fixture
def small(tracks: Tracks, tmp_path: Path) -> Tracks:
    """A board of one track."""
    content = tracks["demo"].model_dump(mode="json", exclude={"name"})
    return load_tracks(write_tracks(tmp_path / "tracks.yaml", demo=content))


def test_equal_input_gives_equal_pages_and_nothing_else_is_overwritten(
    built: Built, small: Tracks, tmp_path: Path
) -> None:
    place, again = tmp_path / "site", tmp_path / "again"
    submissions = built.path.parent / "submissions"
    assert build(place, submissions, small).plots
    build(again, submissions, small)
    files = sorted(one.relative_to(place) for one in place.rglob("*") if one.is_file())
    assert Path("plots/demo-steps.png") in files
    assert files == sorted(one.relative_to(again) for one in again.rglob("*") if one.is_file())
    for file in files:
        assert (place / file).read_bytes() == (again / file).read_bytes(), file
    build(place, None, small, plots=False)
    assert not (place / "submissions").exists()
    (place / "thesis.tex").touch()
    with pytest.raises(UsageError, match=r"holds 'thesis.tex', which is no part of a site"):
        build(place, None, small)
    with pytest.raises(UsageError, match="is no part of a site"):
        build(submissions, None, small)


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """A file server as anybody runs one."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
