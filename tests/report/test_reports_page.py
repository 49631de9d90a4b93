"""What docs/reports.md shows works as it stands there, and names what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from lrat_bench.report.export import FORMATS

PAGE = (Path(__file__).parent.parent.parent / "docs" / "reports.md").read_text()


def test_the_python_on_the_page_runs(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pandas")
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(block.replace("runs/…", str(runs / "oracle-2")), names)
    assert "\\toprule" in capsys.readouterr().out
    assert names["frame"]["success_rate"][0] == names["run"].metric("success_rate").value
    assert len(names["rows"]) == 16


def test_the_page_names_every_format() -> None:
    for name in FORMATS:
        assert f"| `{name}` |" in PAGE
