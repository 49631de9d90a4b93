"""Served: guarded runs are seen and lie nowhere, and nobody else reads along."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
from browser import Browser
from hub_copy import CANARY, browsecomp_card, write_browsecomp, write_card

import lrat_bench
from lrat_bench.api.view import serve, view_runs
from lrat_bench.errors import UsageError
from lrat_bench.guard import Guard
from lrat_bench.runs.run import Run
from lrat_bench.task import catalog
from lrat_bench.viewer.folder import write_folder
from lrat_bench.viewer.server import Server
from lrat_bench.viewer.site import open_site

TELLING = (b"gate of smiths", b"hangs", b"the heron, number")


@contextmanager
def going(server: Server) -> Iterator[Server]:
    thread = Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()


@pytest.fixture
def guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run over a copy of a guarded benchmark, in a git work tree."""
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(catalog, "_cards_folder", lambda: tmp_path / "cards")
    write_card(tmp_path / "cards", browsecomp_card())
    catalog.prepare_task("browsecomp-copy", sources=[str(write_browsecomp(tmp_path / "copy"))])
    (tmp_path / "tree" / ".git").mkdir(parents=True)
    run: Run = lrat_bench.run("browsecomp-copy", retriever="oracle", out=tmp_path / "tree" / "run")
    return run


def test_guarded_runs_are_seen_and_nothing_is_written(
    browser: Browser, guarded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / "tree")
    before = {file: file.read_bytes() for file in (tmp_path / "tree").rglob("*") if file.is_file()}
    with going(serve(guarded.path)) as server:
        browser.open(server.url)
        browser.until("document.documentElement.dataset.ready")
        assert "What hangs at the gate of smiths in town 0?" in browser.texts("#list .wording")
        assert "kept out of plain text" in browser.one("#guarded").text
        browser.one("#list tbody a").click()
        assert "the heron, number 0" in browser.one(".accepted").text
        browser.until(lambda: browser.texts(".browse .text"), "the document is there")
        assert "evidence" in browser.one(".hit.relevant").text or "gold" in browser.one(".hit.relevant").text
        # The pages of this corpus say their titles in their texts.
        assert "The heron of town 0" in browser.texts(".hit .hit-title")
        assert browser.complaints() == []
    after = {file: file.read_bytes() for file in (tmp_path / "tree").rglob("*") if file.is_file()}
    assert after == before
    assert not any(telling in content for content in after.values() for telling in TELLING)


def test_a_folder_of_guarded_texts_is_refused(guarded: Run, tmp_path: Path) -> None:
    for texts in (True, False):
        with pytest.raises(UsageError, match="--serve"):
            view_runs(guarded.path, out=tmp_path / "out", texts=texts)
    assert not (tmp_path / "out").exists()


def test_lines_under_a_canary_are_guarded_whatever_the_manifest_says(task_folder: Path, tmp_path: Path) -> None:
    run = lrat_bench.run(str(task_folder), retriever="oracle", out=tmp_path / "run")
    file = run.path / "verdicts.jsonl"
    first, *rest = file.read_text().splitlines()
    file.write_text("\n".join([Guard(CANARY).encode(first), *rest]) + "\n")
    with pytest.raises(UsageError, match="guarded"):
        write_folder(open_site([run.path]), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def server(task_folder: Path, tmp_path: Path) -> Iterator[Server]:
    run = lrat_bench.run(str(task_folder), retriever="oracle", out=tmp_path / "run")
    with going(serve(run.path)) as found:
        yield found


def ask(
    server: Server, path: str | None = None, *, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    url = urlsplit(server.url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port or 0, timeout=5)
    try:
        connection.putrequest(method, url.path if path is None else path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def beside(server: Server, name: str) -> str:
    return urlsplit(server.url).path.replace("index.html", name)


def test_the_page_is_there_and_kept_to_itself(server: Server) -> None:
    status, headers, content = ask(server)
    assert (status, b"<!doctype html>" in content) == (200, True)
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "lrat_index" in ask(server, beside(server, "data/index.js"))[2].decode()
    assert ask(server, beside(server, ""))[0] == 200
    assert ask(server, method="HEAD")[2] == b""


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/index.html",
        "/data/index.js",
        "//",
        "/../../etc/passwd",
        "/" + "x" * 32 + "/index.html",
        "*",
        "/%00",
        "/é",
    ],
)
def test_who_does_not_know_the_address_sees_nothing(server: Server, path: str) -> None:
    url = urlsplit(server.url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port or 0, timeout=5)
    try:
        connection._encode_request = lambda request: request.encode("utf-8")  # type: ignore[attr-defined]
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status in (400, 404)
        assert len(answer.read()) < 500
    finally:
        connection.close()


@pytest.mark.parametrize(
    "name", ["nothing.js", "../run/manifest.json", "data/../index.html", "data/", "assets/..%2f", "data/index.js/"]
)
def test_only_what_belongs_to_the_view_is_served(server: Server, name: str) -> None:
    assert ask(server, beside(server, name))[0] == 404


def test_it_answers_to_its_own_name_alone(server: Server) -> None:
    port = urlsplit(server.url).port
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{port}.evil.example", ""):
        assert ask(server, Host=host)[0] == 421, host
    assert ask(server, Host=f"localhost:{port}")[0] == 200
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)):
        assert ask(server, Sec_Fetch_Site=site)[0] == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE"])
def test_it_takes_nothing(server: Server, method: str) -> None:
    assert ask(server, method=method)[0] in (400, 501)


def test_a_page_of_another_site_cannot_read_it(browser: Browser, server: Server, tmp_path: Path) -> None:
    script = server.url.replace("index.html", "data/index.js")
    (tmp_path / "other.html").write_text(
        f"<!doctype html><script src='{script}'></script><iframe src='{server.url}'></iframe>"
    )
    browser.open(tmp_path / "other.html")
    assert browser.run("return window.lrat_index ?? null") is None
    assert browser.complaints() != []


def test_a_run_that_is_written_anew_meanwhile_is_said(browser: Browser, task_folder: Path, tmp_path: Path) -> None:
    run = lrat_bench.run(str(task_folder), retriever="oracle", out=tmp_path / "run")
    with going(serve(run.path)) as server:
        browser.open(server.url)
        browser.until("document.documentElement.dataset.ready")
        (run.path / "trajectories.jsonl").write_text("{}\n")
        browser.one("#list tbody a").click()
        assert "could not be loaded" in browser.one("#trouble").text
        browser.complaints()


def test_a_port_that_is_taken_is_one_line(server: Server, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot listen on port"):
        serve(tmp_path / "run", port=urlsplit(server.url).port or 0)
