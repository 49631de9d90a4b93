"""The libraries' own words, kept back while they work for us."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["quiet"]


@contextmanager
def quiet() -> Iterator[None]:
    """No bars and no remarks of the libraries: what there is to say, we say."""
    import transformers

    library: Any = transformers  # which types its modules in part
    control = library.utils.logging
    bars, level = control.is_progress_bar_enabled(), control.get_verbosity()
    ours = logging.getLogger("sentence_transformers")
    before = ours.level
    control.disable_progress_bar()
    control.set_verbosity_error()
    ours.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # Of what the libraries will rename among themselves.
            warnings.filterwarnings("ignore", category=FutureWarning, module=r"(accelerate|transformers|torch)\b")
            yield
    finally:
        ours.setLevel(before)
        control.set_verbosity(level)
        if bars:
            control.enable_progress_bar()
