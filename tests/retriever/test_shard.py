"""Which part of the work a process has: what was typed, or what a launcher says of one task among several."""

from __future__ import annotations

import pytest

from lrat_bench.errors import UsageError
from lrat_bench.retriever.shard import WHOLE, Shard

TORCHRUN = {"RANK": "2", "WORLD_SIZE": "4"}
SBATCH = {"SLURM_PROCID": "0", "SLURM_NTASKS": "8", "SLURM_NPROCS": "8"}
SRUN = {**SBATCH, "SLURM_PROCID": "1", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "3"}


@pytest.mark.parametrize("text", ["", "1", "1/", "a/b", "-1/2", "0/0", "2/2", "1/2/3", f"{'1' * 5000}/2"])
def test_a_shard_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="shard"):
        Shard.parse(text)


@pytest.mark.parametrize(
    ("variables", "expected", "origin"),
    [
        (TORCHRUN, "2/4", "RANK=2 and WORLD_SIZE=4"),
        (SRUN, "1/3", "SLURM_PROCID=1 and SLURM_STEP_NUM_TASKS=3"),
        (SRUN | TORCHRUN, "2/4", "RANK=2 and WORLD_SIZE=4"),
        ({}, "0/1", ""),
        ({"RANK": "2"}, "0/1", ""),
    ],
)
def test_launchers_say_which_shard_a_process_is(variables: dict[str, str], expected: str, origin: str) -> None:
    shard = Shard.from_environment(variables)
    assert (str(shard), shard.origin) == (expected, origin)


def test_a_batch_script_is_one_process_however_many_tasks_its_job_has() -> None:
    assert Shard.from_environment(SBATCH) == WHOLE


@pytest.mark.parametrize(("rank", "size"), [("x", "2"), ("2", "2"), ("0", "0"), ("-1", "2"), ("0", "many")])
def test_a_launcher_that_says_nonsense_is_named(rank: str, size: str) -> None:
    with pytest.raises(UsageError, match=f"RANK={rank} and WORLD_SIZE={size} do not say .*: unset them, or give --sh"):
        Shard.from_environment({"RANK": rank, "WORLD_SIZE": size})
