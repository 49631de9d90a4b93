"""Data as a script file: any text arrives as it was, and none is code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from browser import Browser
from hypothesis import given, settings
from hypothesis import strategies as st

from lrat_bench.pages.shard import script_value

NASTY: dict[str, Any] = {
    "end of script": "</script><script>window.pwned = 1</script><!--",
    "end of text": "'); window.pwned = 2; ('",
    "backslashes": "\\'); window.pwned = 3; //",
    "lines": "one\ntwo\r\nthree\u2028four\u2029five\x00six\x7f",
    "__proto__": {"pwned": 4},
    "half a character": "\ud83d and \udc00",
    "whole ones": "😀 é \u202e ﷺ",
    "template": "${window.pwned = 5}`",
    "numbers": [0, -1, 0.5, 1e300, True, None],
}


def test_what_a_browser_reads_is_what_was_written(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "data.js").write_text(script_value("found", NASTY), encoding="utf-8")
    (tmp_path / "page.html").write_text('<!doctype html><meta charset="utf-8"><script src="data.js"></script>')
    browser.open(tmp_path / "page.html")
    assert json.loads(browser.run("return JSON.stringify(window.found)")) == NASTY
    assert browser.run("return window.pwned") is None
    assert browser.run("return Object.hasOwn(window.found, '__proto__')")
    assert browser.complaints() == []


@settings(max_examples=60, deadline=None)
@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8))
def test_it_holds_nothing_that_html_or_a_line_of_script_could_trip_over(value: Any) -> None:
    script = script_value("x", value).encode().decode()  # writable as UTF-8
    assert script.count("\n") == 1
    assert not set(script) & set("<>&\u2028\u2029")


@pytest.mark.parametrize("name", ["", "a b", "a;alert(1)", "1a", "é", "a.b", "a\n"])
def test_a_name_is_a_name(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        script_value(name, 1)


def test_what_json_does_not_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        script_value("x", float("nan"))
