"""A real browser: Chromium without a window, and what its console said.

A folder of tests that uses it says in its `conftest.py`: `from browser import browser, chromium`, with `__all__`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

__all__ = ["Browser", "browser", "chromium"]

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-prefers-reduced-motion",
)
_PATIENCE = 10.0
_WIDTH, _HEIGHT = 1200, 900


@dataclass
class Browser:
    """One page at a time."""

    driver: webdriver.Chrome

    def open(self, target: Path | str) -> None:
        """A file or an address."""
        self.driver.get(target.as_uri() if isinstance(target, Path) else target)

    def run(self, script: str, *arguments: Any) -> Any:
        """What a piece of JavaScript returns."""
        return self.driver.execute_script(script, *arguments)

    def all(self, css: str) -> list[WebElement]:
        """Elements that are shown."""
        return [one for one in self.driver.find_elements(By.CSS_SELECTOR, css) if one.is_displayed()]

    def one(self, css: str) -> WebElement:
        """The first element that is shown, waited for."""
        found: list[WebElement] = self.until(lambda: self.all(css)[:1], f"{css!r} is shown")
        return found[0]

    def texts(self, css: str) -> list[str]:
        """Texts of the elements that are shown."""
        return [one.text for one in self.all(css)]

    def text(self) -> str:
        """All that a reader sees."""
        return self.driver.find_element(By.TAG_NAME, "body").text

    def press(self, *keys: str) -> None:
        """Keys, where the focus is."""
        for key in keys:
            webdriver.ActionChains(self.driver).send_keys(getattr(Keys, key, key)).perform()

    def until(self, condition: Any, what: str = "it comes true") -> Any:
        """Wait for a condition (a function, or JavaScript that returns a value) and give what it gave."""
        end = time.monotonic() + _PATIENCE
        while True:
            found = None
            # What was there a moment ago may have been drawn anew.
            with suppress(StaleElementReferenceException):
                found = self.run(f"return {condition}") if isinstance(condition, str) else condition()
            if found:
                return found
            if time.monotonic() > end:
                what = condition if isinstance(condition, str) else what
                raise AssertionError(f"waited {_PATIENCE:.0f} s until {what}; the page says:\n{self.text()[:2000]}")
            time.sleep(0.02)

    def resize(self, width: int, height: int = _HEIGHT) -> None:
        """Give the page a size, in CSS pixels."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    def scheme(self, name: str) -> None:
        """`light` or `dark`."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.run("const root = document.documentElement; return root.scrollWidth - root.clientWidth"))

    def complaints(self) -> list[str]:
        """What the console was told since it was last asked: errors, warnings, refusals of the policy."""
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]


@pytest.fixture(scope="session")
def chromium() -> Iterator[webdriver.Chrome]:
    """The browser's process, one for the session."""
    program, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if program is None or driver is None:
        missing = "chromium" if program is None else "chromedriver"
        if os.environ.get("CI"):
            pytest.fail(f"{missing} is not installed, and CI is where pages are tested")
        pytest.skip(f"{missing} is not installed")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = Options()
        options.binary_location = program
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        started = webdriver.Chrome(options=options, service=Service(driver))
        try:
            yield started
        finally:
            started.quit()


@pytest.fixture
def browser(chromium: webdriver.Chrome) -> Browser:
    """An empty page of the usual size, in light colours, with a silent console."""
    found = Browser(chromium)
    found.open("about:blank")
    found.resize(_WIDTH)
    found.scheme("light")
    found.complaints()
    return found
