"""Counts of a server in the text format of Prometheus: numbers alone, no question, no query, no token."""

from __future__ import annotations

from collections.abc import Iterator

from lrat_bench.serve.desk import Traffic

__all__ = ["metrics_text"]


def metrics_text(traffic: Traffic, *, open_seats: int) -> str:
    """The page of `/metrics`.

    Args:
        traffic: what has been counted.
        open_seats: questions that are open now.
    """
    return "".join(f"{line}\n" for line in _lines(traffic, open_seats))


def _lines(traffic: Traffic, open_seats: int) -> Iterator[str]:
    yield from _head("lrat_bench_seats", "gauge", "Questions that are open.")
    yield f"lrat_bench_seats {open_seats}"
    yield from _head("lrat_bench_seats_opened_total", "counter", "Questions that were opened.")
    yield f"lrat_bench_seats_opened_total {traffic.opened}"
    yield from _head("lrat_bench_seats_closed_total", "counter", "Questions that are over, by why.")
    for reason, count in sorted(traffic.closed.items()):
        yield f'lrat_bench_seats_closed_total{{reason="{reason}"}} {count}'
    yield from _head("lrat_bench_calls_total", "counter", "Calls, by tool and by what became of them.")
    for (tool, result), count in sorted(traffic.calls.items()):
        yield f'lrat_bench_calls_total{{tool="{tool}",result="{result}"}} {count}'
    yield from _head("lrat_bench_call_seconds_total", "counter", "Seconds that calls took, waiting included.")
    yield f"lrat_bench_call_seconds_total {traffic.seconds:.6f}"
    yield from _head("lrat_bench_requests_total", "counter", "Requests, by HTTP status.")
    for status, count in sorted(traffic.requests.items()):
        yield f'lrat_bench_requests_total{{status="{status}"}} {count}'


def _head(name: str, kind: str, what: str) -> tuple[str, str]:
    return f"# HELP {name} {what}", f"# TYPE {name} {kind}"
