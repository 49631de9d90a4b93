"""Pages are tested in a browser."""

from __future__ import annotations

from browser import browser, chromium

__all__ = ["browser", "chromium"]
