"""What the heuristic writes down: its thoughts before each move, and the final answer."""

from __future__ import annotations

from lrat_bench.model.heuristic.answer import Conclusion
from lrat_bench.model.heuristic.plan import Answer, Move, Open, Settings
from lrat_bench.model.heuristic.support import Support
from lrat_bench.model.heuristic.text import phrase

__all__ = ["final_text", "reason"]


def reason(support: Support, move: Move, settings: Settings) -> str:
    """What the last result says about the open clauses, and why the next move is made.

    After a document was opened the length tells how much it helped: what it says is quoted clause by clause, and one
    line says that it does not help.
    """
    notes = support.notes
    if notes.last is None:
        return f"{_opening(support)}\n{_intention(support, move)}"
    tool, argument, docids = notes.last
    if tool == "search":
        return f"{_on_search(argument, docids)} {_intention(support, move)}"
    return _on_document(support, argument, move, settings)


def final_text(support: Support, conclusion: Conclusion, why: str) -> str:
    """The final answer in the form that the prompt asks for."""
    lines = [why]
    for seen in support.ranking[:4]:
        if seen.read:
            lines += [f'"{quote.text}" [{seen.docid}]' for _, quote, _ in support.quotes(seen.docid, 0.5)[:2]]
    if conclusion.source is None:
        lines = ["I found nothing that bears on the question."]
    elif not any(f"[{conclusion.source.docid}]" in line for line in lines):
        lines.append(f"The answer rests on [{conclusion.source.docid}].")
    explanation = " ".join(dict.fromkeys(lines))
    percent = round(100 * min(max(conclusion.confidence, 0.0), 0.95))
    return f"Explanation: {explanation}\nExact Answer: {conclusion.text}\nConfidence: {percent}%"


def _opening(support: Support) -> str:
    clauses = support.question.clauses
    listed = "\n".join(f"({number}) {clause.text}" for number, clause in enumerate(clauses, 1))
    return f"The question has {len(clauses)} clause{'s' if len(clauses) > 1 else ''}:\n{listed}"


def _on_search(query: str, new: tuple[str, ...]) -> str:
    if not new:
        return f'The search for "{query}" shows no document that I have not seen.'
    return f'The search for "{query}" shows {len(new)} new document{"s" if len(new) > 1 else ""}.'


def _on_document(support: Support, docid: str, move: Move, settings: Settings) -> str:
    seen = support.notes.seen.get(docid)
    if seen is None or not seen.read:
        return f"Document {docid} could not be opened. {_intention(support, move)}"
    title = seen.page.title or docid
    if support.helpfulness(docid) < settings.helps:
        return f'"{title}" does not help: it says nothing about the open clauses that leads on.'
    quotes = support.quotes(docid, settings.covered)
    lines = [f'"{title}" helps: it bears on {len(quotes)} of the {len(support.question.clauses)} clauses.']
    for clause, sentence, value in quotes:
        lines.append(
            f'On "{clause.text}" it says: "{sentence.text}" That covers {round(100 * value)}% of what the clause asks.'
        )
    for other in support.links[docid][:4]:
        page = support.notes.seen[other].page
        naming = (s.text for s in seen.page.sentences if page.key and page.key in phrase(s.text))
        if sentence_text := next(naming, None):
            lines.append(f'It leads to "{page.title}": "{sentence_text}"')
    best = support.ranking[0]
    missing = [
        c.text for c, gap in zip(support.question.clauses, support.open, strict=True) if gap > 1 - settings.covered
    ]
    lines.append(
        f'The best-supported candidate is now "{best.page.title or best.docid}"; '
        + (f"still open: {'; '.join(missing)}." if missing else "no clause is left open.")
    )
    lines.append(_intention(support, move))
    return "\n".join(lines)


def _intention(support: Support, move: Move) -> str:
    if isinstance(move, Answer):
        return move.why
    if isinstance(move, Open):
        page = support.notes.seen[move.docid].page
        return f'The most promising hit that I have not read is "{page.title or move.docid}": I open it.'
    return f"{move.why} I search for: {move.query}"
