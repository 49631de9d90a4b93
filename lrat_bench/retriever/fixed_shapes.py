"""Running a transformer so that what comes out for a text depends on that text alone, bit for bit.

Kernels are chosen by the shape of a batch, and sums are ordered by the kernel: the same query gives other last bits
beside a longer one, or in a larger batch. Here every text is padded to a length of its own (the next multiple of
`STEP`), texts of one length are run together, and always in batches of `ROWS` rows, the missing ones filled up. Row for
row, a kernel does the same in all batches of one shape.

The last row of a batch is always filler, nearly all of it padding: libraries drop the mask of a batch that has none,
and take another kernel for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["ROWS", "STEP", "can_be_fixed", "run_alone", "run_fixed"]

ROWS = 8
STEP = 16

_PADDED = ("input_ids", "attention_mask", "token_type_ids")

Features = dict[str, Any]


def run_fixed(
    features: Sequence[Features],
    forward: Callable[[Features], Any],
    *,
    pad_id: int,
    left: bool,
    longest: int | None,
    rows: int = ROWS,
) -> list[Any]:
    """One result per text, the same whatever other texts there are and in which order.

    Args:
        features: of one text each, as a tokenizer gives them: tensors of shape (1, tokens), and other values that are
            the same for all.
        forward: features of a batch → a tensor of shape (batch, …).
        pad_id: of the padding token.
        left: whether padding stands in front.
        longest: no text is padded beyond it; what a model of learned positions can take.
        rows: of a batch, filler included.
    """
    alike: defaultdict[int, list[int]] = defaultdict(list)
    for number, one in enumerate(features):
        tokens = one["input_ids"].shape[1]
        padded = -(-tokens // STEP) * STEP
        alike[max(tokens, min(padded, longest or padded))].append(number)
    results: list[Any] = [None] * len(features)
    for length, numbers in alike.items():
        for start in range(0, len(numbers), rows - 1):
            chunk = numbers[start : start + rows - 1]
            out = forward(_batch([features[number] for number in chunk], length, rows, pad_id, left))
            for row, number in enumerate(chunk):
                results[number] = out[row]
    return results


def run_alone(features: Sequence[Features], forward: Callable[[Features], Any]) -> list[Any]:
    """One result per text, each run by itself: where filler would cost as much as texts do."""
    return [forward(one)[0] for one in features]


def can_be_fixed(features: Features) -> bool:
    """Whether all tensors are of the kind that `run_fixed` knows how to pad."""
    tensors = {name for name, value in features.items() if hasattr(value, "shape")}
    return {"input_ids", "attention_mask"} <= tensors <= set(_PADDED)


def _batch(texts: list[Features], length: int, rows: int, pad_id: int, left: bool) -> Features:
    batch = dict(texts[0])
    for name in _PADDED:
        if name not in batch:
            continue
        whole = texts[0][name].new_full((rows, length), pad_id if name == "input_ids" else 0)
        for row, text in enumerate(texts):
            tokens = text[name].shape[1]
            place = slice(length - tokens, length) if left else slice(0, tokens)
            whole[row, place] = text[name][0]
        if name == "attention_mask":
            # A row without any token would be a sum over nothing.
            whole[len(texts) :, -1 if left else 0] = 1
        batch[name] = whole
    return batch
