"""The viewer at 10,000 trajectories: how long it takes to write, what memory and disk it takes, how soon it is there.

A real run of the heuristic agent over BM25 is taken, and its trajectories are repeated under new repeat numbers until
there are as many as asked for. Needs Chromium and its driver for the second half.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import lrat_bench
from lrat_bench.report import numbers

_READY = "return document.documentElement.dataset.ready || null"


def synthesise(folder: Path, many: int) -> Path:
    """A scored run of about `many` trajectories, every one of which happened."""
    settings = {"task.documents": 3000}
    run = lrat_bench.run(task="synth-wiki", retriever="bm25", out=folder / "run", set=settings)
    records = list(run.trajectories)
    repeats = -(-many // len(records))
    with (run.path / "trajectories.jsonl").open("a", encoding="utf-8") as stream:
        for repeat in range(1, repeats):
            stream.writelines(f"{one.model_copy(update={'repeat': repeat}).to_json()}\n" for one in records)
    manifest = json.loads((run.path / "manifest.json").read_text())
    manifest["repeats"] = repeats
    (run.path / "manifest.json").write_text(json.dumps(manifest))
    lrat_bench.api.rescore(run.path)
    return run.path


def write(run: Path, out: Path, *words: str) -> tuple[float, float, int]:
    """Seconds, CPU seconds and peak memory of `lrat-bench view`, in a process of its own."""
    command = [sys.executable, "-m", "lrat_bench.cli", "view", str(run), "-o", str(out), *words]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def browse(index: Path, tries: int) -> dict[str, float]:
    """Seconds in Chromium, the median of several: until the list is there, is filtered, a trajectory is open."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver") or ""))

    def until(script: str) -> float:
        started = time.perf_counter()
        while not driver.execute_script(script):
            time.sleep(0.005)
        return time.perf_counter() - started

    found: dict[str, list[float]] = {"list": [], "filter": [], "trajectory": []}
    try:
        for _ in range(tries):
            driver.get("about:blank")
            started = time.perf_counter()
            driver.get(index.as_uri())
            until(_READY)
            found["list"].append(time.perf_counter() - started)
            filtered = "const s = document.getElementById('outcome'); const t = performance.now();"
            filtered += "s.value = 'incorrect'; s.dispatchEvent(new Event('change')); document.body.offsetHeight;"
            found["filter"].append(driver.execute_script(f"{filtered} return performance.now() - t") / 1000)
            driver.execute_script("document.querySelector('#list tbody a').click()")
            found["trajectory"].append(until("return document.querySelector('#question .turn')"))
    finally:
        driver.quit()
    return {what: sorted(times)[len(times) // 2] for what, times in found.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trajectories", type=int, default=10_000)
    parser.add_argument("--tries", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="folder to work in, which is kept")
    given = parser.parse_args()
    work = given.keep or Path(tempfile.mkdtemp(prefix="viewer-"))
    os.environ.setdefault("LRAT_BENCH_CACHE", str(work / "cache"))
    try:
        run = work / "run" if (work / "run").exists() else synthesise(work, given.trajectories)
        took, cpu, memory = write(run, work / "view")
        files = [file for file in (work / "view").rglob("*") if file.is_file()]
        rows = [
            ("trajectories", numbers.count(len((run / "per_question.jsonl").read_text().splitlines()))),
            ("size of trajectories.jsonl", numbers.size((run / "trajectories.jsonl").stat().st_size)),
            ("write: time", numbers.duration(took)),
            ("write: CPU", numbers.duration(cpu)),
            ("write: peak memory", numbers.size(memory)),
            ("written", f"{numbers.size(sum(file.stat().st_size for file in files))} in {len(files)} files"),
        ]
        if shutil.which("chromium") and shutil.which("chromedriver"):
            times = browse(work / "view" / "index.html", given.tries)
            rows += [
                ("Chromium: list is there", numbers.duration(times["list"])),
                ("Chromium: filtered", numbers.duration(times["filter"])),
                ("Chromium: trajectory is open", numbers.duration(times["trajectory"])),
            ]
        print("| | |\n| --- | --- |")
        print("\n".join(f"| {label} | {figure} |" for label, figure in rows))
    finally:
        if given.keep is None:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
