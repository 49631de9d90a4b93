"""Tables sort and filter, by mouse and keyboard, and are tables without the script."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import Browser

from lrat_bench.pages.assets import write_assets
from lrat_bench.pages.render import POLICY

TABLE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="%s">
<title>t</title><link rel="stylesheet" href="assets/base.css"></head><body><main>
<div class="filters" data-controls="board" hidden>
<label>Search <input type="search" data-filter></label>
<label>Agent <select data-facet="agent"><option value="">all</option></select></label>
<span data-count role="status"></span>
</div>
<table id="board" data-sortable>
<thead><tr><th>Entry</th><th class="num">Success</th>
<th data-first="ascending">Rank</th><th data-unsortable>Note</th></tr></thead>
<tbody>
<tr data-facet-agent="beta"><td>bm25</td><td data-value="0.5">50%%</td><td>2</td>
<td>x <i data-unsearched>of dense lore</i></td></tr>
<tr data-facet-agent="alpha"><td>Dense v10</td><td data-value="0.9">90%%</td><td>1</td><td>x</td></tr>
<tr data-facet-agent="alpha"><td>dense v9</td><td data-value="">–</td><td>10</td><td>x</td></tr>
<tr data-facet-agent="&lt;img src=x onerror=window.pwned=1&gt;">
<td>oracle</td><td data-value="-1">-1</td><td>3</td><td>x</td></tr>
<tr data-fixed><td>published</td><td data-value="0.7">70%%</td><td>9</td><td>x</td></tr>
</tbody></table></main><script src="assets/table.js" defer></script></body></html>
"""


@pytest.fixture
def table(browser: Browser, tmp_path: Path) -> Browser:
    write_assets(tmp_path)
    (tmp_path / "index.html").write_text(TABLE % POLICY)
    browser.open(tmp_path / "index.html")
    return browser


def entries(browser: Browser) -> list[str]:
    return browser.texts("#board tbody td:first-child")


def test_numbers_sort_largest_first_and_what_has_none_comes_last(table: Browser) -> None:
    button = table.one("#board th:nth-child(2) button")
    button.click()
    assert entries(table) == ["Dense v10", "bm25", "oracle", "dense v9", "published"]
    assert table.one("#board th:nth-child(2)").get_attribute("aria-sort") == "descending"
    button.click()
    assert entries(table) == ["oracle", "bm25", "Dense v10", "dense v9", "published"]
    table.one("#board th:nth-child(3) button").click()
    assert entries(table)[:4] == ["Dense v10", "bm25", "oracle", "dense v9"]
    assert table.run("return document.querySelectorAll('[aria-sort]').length") == 1
    assert len(table.all("#board th button")) == 3
    assert table.complaints() == []


def test_texts_sort_as_people_count_and_by_keyboard(table: Browser) -> None:
    table.run("document.querySelector('#board th button').focus()")
    table.press("ENTER")
    assert entries(table)[:4] == ["bm25", "dense v9", "Dense v10", "oracle"]
    table.press("SPACE")
    assert entries(table)[:4] == ["oracle", "Dense v10", "dense v9", "bm25"]


def test_rows_are_searched_and_chosen(table: Browser) -> None:
    search = table.one("[data-filter]")
    search.send_keys("lore")
    assert "Nothing fits" in table.text()
    search.clear()
    search.send_keys("V9 dense")
    assert entries(table) == ["dense v9", "published"]
    assert table.one("[data-count]").text == "1 of 4 rows"
    search.send_keys(" nothing")
    assert "Nothing fits" in table.text()
    search.clear()
    search.send_keys(" ")
    options = [one.text for one in table.all("select option")]
    assert options == ["all", "<img src=x onerror=window.pwned=1>", "alpha", "beta"]
    table.one("select").send_keys("alpha")
    assert entries(table) == ["Dense v10", "dense v9", "published"]
    assert table.run("return window.pwned ?? null") is None
    assert table.complaints() == []


def test_without_the_script_the_table_is_whole_and_has_no_controls(browser: Browser, tmp_path: Path) -> None:
    write_assets(tmp_path)
    (tmp_path / "assets" / "table.js").unlink()
    (tmp_path / "index.html").write_text(TABLE % POLICY)
    browser.open(tmp_path / "index.html")
    assert len(entries(browser)) == 5
    assert browser.all("select, input, button") == []
