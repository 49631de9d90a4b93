"""The libraries of the extra `serve`, asked for before they are needed."""

from __future__ import annotations

from importlib.util import find_spec

from lrat_bench.errors import MissingLibrary

__all__ = ["require_serve"]


def require_serve() -> None:
    """See that a server can be started.

    Raises:
        MissingLibrary: one of its libraries is not installed.
    """
    for name in ("mcp", "starlette", "uvicorn"):
        if find_spec(name) is None:
            raise MissingLibrary(f"{name}, which serves agents over a network,", install='"lrat-bench[serve]"')
