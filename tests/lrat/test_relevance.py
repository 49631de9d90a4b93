"""Who judges relevance: English cues, or a model; a judge that fails says nothing."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from endpoint import Endpoint

from lrat_bench.api import access
from lrat_bench.errors import Halt, RolloutFailure, UnknownName, UsageError
from lrat_bench.lrat.relevance import prompt
from lrat_bench.lrat.relevance.base import Opinion, Outcome, RelevanceJudge
from lrat_bench.lrat.relevance.cache import RelevanceCache
from lrat_bench.lrat.relevance.llm import LlmRelevance
from lrat_bench.lrat.relevance.prompt import read_reply
from lrat_bench.lrat.relevance.registry import load_relevance
from lrat_bench.lrat.relevance.rules import RulesRelevance
from lrat_bench.model.heuristic.model import Heuristic
from lrat_bench.model.seam import Message, Request, Tool, ToolCall, Turn
from lrat_bench.score.judges.asking import TRIES
from lrat_bench.score.judges.presets import preset_of
from lrat_bench.task.protocol import Scoring
from lrat_bench.trajectory import Usage

PAID = Usage(prompt_tokens=100, completion_tokens=10, llm_calls=1, cost_usd=0.5)


def by_rules(reasoning: str) -> Outcome:
    return asyncio.run(RulesRelevance().judge("q", "d", reasoning)).outcome


@pytest.mark.parametrize(
    "reasoning",
    [
        "Great, it confirms that he was born in 1910. No information on his death, though.",
        "The document states that the bridge is of 1402. It does not say who paid for it.",
        "It does not mention his birth, but it does say that he built the bridge.",
        "This is not directly about the bridge. However, it mentions the mason.",
        "The treaty did not include Bulgaria, and was signed in 1919.",
        "Now we have the date. Let us look for the place, since that is not mentioned.",
        "Thus the answer: two million. There wasn't any other settlement.",
        "Born in 1901 in Paris. He never married. Next I search for his book, which may not be relevant.",
        "We found the mason. I cannot find his sister yet.",
        'The text says: "It is irrelevant and does not help." That is the quotation in question.',
        "Havlíček wurde 1922 geboren und hilft nicht weiter.",
        "Er, well",
        "…",
        "It is not only relevant but decisive.",
    ],
)
def test_an_agent_that_goes_on_thinking_has_a_use_for_the_document(reasoning: str) -> None:
    assert by_rules(reasoning) == "relevant"


@pytest.mark.parametrize(
    "reasoning",
    [
        "That document is unrelated. So the answer is Tarn.",
        "Not helpful.\n\nLet us search for the mason.",
        "No.\n\nPerhaps the question is about another bridge.",
        "Hmm. This doesn’t mention the mason at all.",
        "The page is about kilns. Nothing about bridges here.",
        "Okay, so I opened doc 123. It contains no information on the topic.",
        "Wrong person. Let me search again.",
        "I could not find anything on it in this page.",
        "This article isn't relevant to the question.",
        "The document only mentions the town. It does not say who built it.",
        "There is no mention of the bridge.",
        "**Irrelevant.**",
        "Doesn't help.",
        "That page only mentions the campaign. No details about the period.",
        "That document does not directly answer. Let's search again.",
        "Document 77 could not be opened. I search on.",
        "Not what I need.",
        "It lacks any mention of the mason, but we have that from elsewhere.",
    ],
)
def test_a_document_that_is_set_aside_at_once_is_irrelevant(reasoning: str) -> None:
    assert by_rules(reasoning) == "irrelevant"


def test_the_rules_read_what_the_heuristic_agent_writes() -> None:
    question = "Which mason of Tarn built the bridge over the Ostrel?"

    def thinks(document: str) -> str:
        listed = '{"results": [{"docid": "d1", "snippet": "A page\\nIt begins so."}]}'
        read = f'{{"docid": "d1", "text": "A page\\n{document}"}}'
        messages = (
            Message("user", f"Question: {question}"),
            Message("assistant", "", calls=(ToolCall("1", "search", '{"query": "bridge"}'),)),
            Message("tool", listed, call_id="1"),
            Message("assistant", "", calls=(ToolCall("2", "get_document", '{"docid": "d1"}'),)),
            Message("tool", read, call_id="2"),
        )
        tools = tuple(Tool(name, "", {}) for name in ("search", "get_document"))
        turn = asyncio.run(Heuristic().complete(Request(messages, tools)))
        assert turn.reasoning is not None
        return turn.reasoning

    helps = thinks("The mason Aldwin Marr of Tarn built the bridge over the Ostrel, which nothing does not help.")
    useless = thinks("Kilns are hot.")
    assert " helps: " in helps
    assert "does not help" in useless
    assert (by_rules(helps), by_rules(useless)) == ("relevant", "irrelevant")


@pytest.mark.parametrize("bad", ["but ", "“", "no ", "is not a ", "it x ", "a.b ", "doc does not ", '"x'])
def test_a_model_that_rambles_costs_the_rules_no_seconds(bad: str) -> None:
    start = time.perf_counter()
    by_rules(bad * 50_000)
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ("RELEVANT", "relevant"),
        ("IRRELEVANT", "irrelevant"),
        ("relevant", "relevant"),
        ("Relevant.", "relevant"),
        ("**IRRELEVANT**", "irrelevant"),
        ("`RELEVANT`\n", "relevant"),
        ("Not relevant.", "irrelevant"),
        ("non-relevant", "irrelevant"),
        ("Verdict: RELEVANT", "relevant"),
        ("- **Final answer:** irrelevant", "irrelevant"),
        ("<think>Is it RELEVANT? IRRELEVANT?</think>\n\nRELEVANT", "relevant"),
        ("The agent takes a name.\n\nRELEVANT", "relevant"),
        ("RELEVANT: a fact was taken from it, other pages were irrelevant", "relevant"),
        ("IRRELEVANT — it was set aside", "irrelevant"),
        ("I would say that it is IRRELEVANT here.", "irrelevant"),
        ("RELEVANT or IRRELEVANT: IRRELEVANT", "irrelevant"),
        ("", "undecided"),
        ("I cannot say.", "undecided"),
        ("<think>RELEVANT", "undecided"),
        ("RELEVANT\nIRRELEVANT", "undecided"),
        ("RELEVANT. No: IRRELEVANT.", "undecided"),
        ("RELEVANT or IRRELEVANT", "undecided"),
        ("There is no relevant information in it.", "undecided"),
        ("It is relevant whether or not the agent read it.", "undecided"),
        ("This is not RELEVANT.", "undecided"),
        ("It isn't RELEVANT", "undecided"),
        ("It isn’t at all RELEVANT", "undecided"),
        ("NOT a RELEVANT one", "undecided"),
        ("hardly RELEVANT", "undecided"),
        ("not\nrelevant", "undecided"),
        ("It is not\n**RELEVANT**", "undecided"),
        ("Not IRRELEVANT", "undecided"),
        ("RELEVANT. It is not RELEVANT.", "undecided"),
        ("NOT RELEVANT", "irrelevant"),
        ("Verdict: not relevant", "irrelevant"),
        ("The agent does not dwell on it. RELEVANT", "relevant"),
        ("It names no mason.\nIRRELEVANT", "irrelevant"),
        ("It takes a date, not a name\n\nRELEVANT", "relevant"),
        ("It does not say who built it\nVerdict: IRRELEVANT", "irrelevant"),
    ],
)
def test_a_reply_is_read_for_the_one_word_that_it_states(reply: str, outcome: Outcome) -> None:
    assert read_reply(reply) == outcome


def test_a_reply_that_rambles_costs_no_seconds() -> None:
    start = time.perf_counter()
    assert read_reply("not RELEVANT " * 5000) == "undecided"
    assert time.perf_counter() - start < 3


def test_the_prompt_holds_everything_and_what_is_put_in_is_not_read_again() -> None:
    filled = prompt.fill("{docid}", "d7", "Thought of {query}\nReply with RELEVANT.")
    assert "found by: {docid}" in filled
    assert "Thought of {query}" in filled
    marks = [line for line in filled.splitlines() if len(line) == 16]
    assert len(marks) == 2
    assert marks[0] == marks[1]


class Asked:
    """Says one thing after another, whatever it is asked, and remembers the requests."""

    name = "asked"
    fingerprint = "asked"

    def __init__(self, *says: str | Turn | Exception) -> None:
        self.says = list(says)
        self.requests: list[Request] = []

    async def complete(self, request: Request) -> Turn:
        said = self.says[min(len(self.requests), len(self.says) - 1)]
        self.requests.append(request)
        if isinstance(said, Exception):
            raise said
        return said if isinstance(said, Turn) else Turn(text=said, usage=PAID)

    async def close(self) -> None:
        pass


def opinion(model: Asked, cache: RelevanceCache | None = None) -> Opinion:
    judge = LlmRelevance(preset_of(Scoring(judge="test/model")), model, cache)
    return asyncio.run(judge.judge("stone bridge", "d1", "It helps."))


def test_a_model_is_asked_once_by_the_prompt() -> None:
    model = Asked("RELEVANT")
    assert opinion(model) == Opinion("relevant", "RELEVANT", usage=PAID)
    (request,) = model.requests
    assert request.messages == (Message("user", prompt.fill("stone bridge", "d1", "It helps.")),)
    assert (request.sampling.temperature, request.sampling.seed) == (0.0, 0)


def test_a_reply_without_the_word_is_asked_for_again_with_other_seeds_and_paid_for() -> None:
    model = Asked("Well …", "RELEVANT or IRRELEVANT", "IRRELEVANT")
    said = opinion(model)
    assert (said.outcome, said.usage.cost_usd) == ("irrelevant", 1.5)
    assert [request.sampling.seed for request in model.requests] == [0, 1, 2]


def test_a_model_that_never_says_it_is_undecided_and_not_irrelevant() -> None:
    said = opinion(Asked("Hard to say."))
    assert (said.outcome, said.error) == ("undecided", f"no opinion in {TRIES} tries: the reply states none, or two")
    cut = opinion(Asked(Turn(text="RELEVANT", finish_reason="length", usage=PAID)))
    assert cut.outcome == "undecided"
    assert "cut off at 4096 tokens" in str(cut.error)


def test_an_outage_is_raised_and_after_a_paid_reply_undecided() -> None:
    with pytest.raises(Halt):
        opinion(Asked(Halt("the endpoint is down")))
    said = opinion(Asked("Well …", RolloutFailure("502")))
    assert (said.outcome, said.usage) == ("undecided", PAID)
    assert said.error == "no opinion: the reply states none, or two; then: 502"


def test_what_was_said_once_is_not_paid_for_again(tmp_path: Path) -> None:
    cache = RelevanceCache(tmp_path)
    model = Asked("IRRELEVANT")
    first = opinion(model, cache)
    second = opinion(model, RelevanceCache(tmp_path))
    assert len(model.requests) == 1
    assert (second.outcome, second.reply, second.usage.cost_usd) == (first.outcome, first.reply, 0.0)
    assert opinion(Asked("Hm."), RelevanceCache(tmp_path / "other")).outcome == "undecided"
    assert not list((tmp_path / "other").rglob("*.json"))


def test_a_damaged_or_read_only_cache_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    opinion(Asked("RELEVANT"), RelevanceCache(tmp_path))
    (entry,) = tmp_path.rglob("*.json")
    entry.write_text('{"torn')
    assert opinion(Asked("IRRELEVANT"), RelevanceCache(tmp_path)).outcome == "irrelevant"
    (tmp_path / "file").write_text("")
    assert opinion(Asked("RELEVANT"), RelevanceCache(tmp_path / "file")).outcome == "relevant"
    assert "opinions are not cached" in caplog.text


def test_a_judge_is_known_by_its_name() -> None:
    assert isinstance(load_relevance("rules"), RulesRelevance)
    assert load_relevance("none") is None
    assert isinstance(load_relevance("rules"), RelevanceJudge)
    with pytest.raises(UnknownName, match="did you mean 'rules'"):
        load_relevance("rule")
    with pytest.raises(UsageError, match=r"--filter rules takes no settings, got filter\.max_tokens"):
        load_relevance("rules", settings={"max_tokens": 5})
    with pytest.raises(UsageError, match="no relevance judge"):
        load_relevance("lrat_bench.lrat.relevance.cache:RelevanceCache.key.__class__.__subclasses__")


def test_the_papers_model_needs_an_address_and_is_asked_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(tmp_path))
    monkeypatch.delenv("HOSTED_VLLM_API_BASE", raising=False)
    with pytest.raises(UsageError, match=r"start one \(vLLM: `vllm serve Qwen/Qwen3-30B-A3B-Thinking-2507"):
        load_relevance("qwen3-30b-a3b-thinking")
    reach = access()
    with Endpoint(lambda body: Turn(text="RELEVANT", reasoning="It took a name.")) as endpoint:
        settings = {"api_base": endpoint.url, "max_tokens": 99}
        judge = load_relevance("qwen3-30b-a3b-thinking", settings=settings, access=reach)
        assert isinstance(judge, LlmRelevance)

        async def ask() -> Opinion:
            try:
                return await judge.judge("q", "d", "It helps.")
            finally:
                await reach.close()

        assert asyncio.run(ask()).outcome == "relevant"
        (body,) = endpoint.bodies
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("Qwen/Qwen3-30B-A3B-Thinking-2507", 99, 0.0)
    assert judge.describe()["prompt"] == "lrat-relevance-v1"
