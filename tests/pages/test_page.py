"""The base page: escaped, whole, and under a policy that holds from a disk and from a server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from browser import Browser
from jinja2 import UndefinedError

from lrat_bench.pages.assets import read_assets, write_assets
from lrat_bench.pages.render import page, web_address

HOSTILE = "<script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'>"
TEMPLATE = """{% extends "base.html" %}
{% block lead %}<p class="lead">{{ lead }}</p>{% endblock %}
{% block content %}
{{ body }}
{% if address | web_address %}<a id="link" href="{{ address }}">their page</a>{% endif %}
{{ raw | safe }}
<script src="assets/beside.js" defer></script>
{% endblock %}
"""
SMUGGLED = """<script>window.inline = 1</script>
<p id="styled" style="color: rgb(1, 2, 3)" onclick="window.clicked = 1">styled</p>
<img src="http://127.0.0.1:9/seen.png" alt="">
<form action="http://127.0.0.1:9/"><button id="send">send</button></form>
<script src="assets/tries.js" defer></script>"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package with a template and an asset of its own."""
    name = f"somebody_{tmp_path.name.replace('-', '_')}"
    home = tmp_path / "lib" / name
    (home / "templates").mkdir(parents=True)
    (home / "assets").mkdir()
    (home / "__init__.py").write_text("")
    (home / "templates" / "own.html").write_text(TEMPLATE)
    (home / "assets" / "beside.js").write_text("window.beside = 1;\n")
    (home / "assets" / "tries.js").write_text(
        "try { document.body.insertAdjacentHTML('beforeend', '<b>x</b>'); window.inner = 1; }\n"
        "catch { window.inner = 0; }\n"
        "fetch('http://127.0.0.1:9/').catch(() => { window.fetched = 0; });\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    yield name
    sys.modules.pop(name, None)


def written(folder: Path, package: str, *, raw: str = "", address: str = "https://example.org/a?b=1") -> Path:
    write_assets(folder, package)
    html = page(
        "own.html",
        package=package,
        title=f"T {HOSTILE}",
        nav=[("Here", "#"), (f"N {HOSTILE}", "x.html")],
        lead=HOSTILE,
        body=HOSTILE,
        raw=raw,
        address=address,
    )
    (folder / "index.html").write_text(html, encoding="utf-8")
    return folder / "index.html"


def test_texts_are_shown_and_do_nothing(browser: Browser, package: str, tmp_path: Path) -> None:
    browser.open(written(tmp_path / "site", package))
    assert browser.until("window.beside") == 1
    assert browser.run("return window.pwned") is None
    assert browser.text().count("<script>window.pwned = 1</script>") == 4  # nav, heading, lead, body
    assert browser.run("return document.title").startswith("T <script>")
    assert browser.complaints() == []


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The same folder, over HTTP."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path / "site")) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("way", ["disk", "server"])
def test_the_policy_holds(browser: Browser, package: str, tmp_path: Path, served: str, way: str) -> None:
    file = written(tmp_path / "site", package, raw=SMUGGLED)
    browser.open(file if way == "disk" else served)
    assert browser.until("window.beside") == 1
    browser.until("window.fetched === 0")
    assert browser.run("return [window.inline ?? null, window.inner]") == [None, 0]
    assert browser.run("return getComputedStyle(document.getElementById('styled')).color") != "rgb(1, 2, 3)"
    assert "rgb(251, 251, 249)" in browser.run("return getComputedStyle(document.body).backgroundColor")
    browser.one("#styled").click()
    assert browser.run("return window.clicked ?? null") is None
    browser.one("#send").click()
    assert "index.html" in browser.driver.current_url
    refused = " ".join(browser.complaints())
    for directive in ("script-src 'self'", "style-src 'self'", "img-src 'self'", "default-src 'none'", "form-action"):
        assert directive in refused, directive


def test_it_reads_in_the_dark_on_a_narrow_screen_and_by_keyboard(
    browser: Browser, package: str, tmp_path: Path
) -> None:
    file = written(tmp_path / "site", package)
    browser.scheme("dark")
    browser.resize(360)
    browser.open(file)
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == "rgb(19, 22, 24)"
    assert browser.overflow == 0
    browser.press("TAB")
    assert browser.run("return document.activeElement.className") == "skip"


def test_a_page_names_what_it_lacks(package: str) -> None:
    with pytest.raises(UndefinedError, match="title"):
        page("base.html", package=package)


def test_assets_are_those_of_the_pages_and_of_whoever_shows_them(package: str) -> None:
    assert set(read_assets()) == {"base.css", "icon.svg", "table.js"}
    assert set(read_assets(package)) == {"base.css", "icon.svg", "table.js", "beside.js", "tries.js"}


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        " https://x.org",
        "https://x.org/\n",
        "data:text/html,x",
        "//x.org",
        "file:///etc",
        "",
        None,
    ],
)
def test_only_web_addresses_become_links(browser: Browser, package: str, tmp_path: Path, text: str | None) -> None:
    assert web_address(text) is None


def test_a_web_address_is_a_link(browser: Browser, package: str, tmp_path: Path) -> None:
    browser.open(written(tmp_path / "site", package))
    assert browser.one("#link").get_attribute("href") == "https://example.org/a?b=1"
    browser.open(written(tmp_path / "other", package, address="javascript:window.pwned=3"))
    assert browser.all("#link") == []
