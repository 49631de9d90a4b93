"""Weighted contrastive training of a dense retriever on mined pairs.

`train.py` is the order of it: pairs become examples (`examples.py`), examples batches (`batches.py`, `collate.py`),
and the loss (`info_nce.py`, `loss.py`) is minimised by the trainer of sentence-transformers (`trainer.py`). What is
written lies in one folder (`folder.py`), with a record (`record.py`) and a model card (`card.py`).

Nothing here imports torch before a training starts; `info_nce.py`, `loss.py` and `trainer.py` do at their top.
"""
