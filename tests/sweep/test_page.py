"""What docs/sweeps.md shows is what there is."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from lrat_bench.files import read_yaml
from lrat_bench.sweep.spec import AXES, Entry, RetrieverEntry, SweepSpec, TaskEntry

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "sweeps.md").read_text()


def test_the_file_on_the_page_is_the_example() -> None:
    block = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)[0]
    assert yaml.safe_load(block) == read_yaml(ROOT / "benchmarks" / "sweeps" / "synth-wiki.yaml")


def test_the_page_names_every_key() -> None:
    table = PAGE.partition("| key | holds |")[2].partition("\n\n")[0]
    fields = {name for model in (SweepSpec, TaskEntry, Entry, RetrieverEntry) for name in model.model_fields}
    for name in (*fields, *AXES):
        assert re.search(rf"\b{name}\b", table), name
