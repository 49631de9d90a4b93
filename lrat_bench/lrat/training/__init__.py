"""Weighted contrastive training of a dense retriever on mined pairs.

`train.py` is the order of it: pairs become examples (`examples.py`), examples batches (`batches.py`, `collate.py`),
and the loss (`info_nce.py`, `loss.py`) is minimised by the trainer of sentence-transformers (`trainer.py`,
`arguments.py`, `schedule.py`, `keeper.py`). What is written lies in one folder (`folder.py`, `checkpoints.py`), with a
record (`record.py`) and a model card (`card.py`).

Nothing here imports torch before a training starts; `info_nce.py`, `loss.py`, `trainer.py` and `arguments.py` do at
their top.
"""
