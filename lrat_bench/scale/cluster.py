"""Ray, as far as it is needed here: processes on a cluster, or on this machine, that are started again when they die.

With `RAY_ADDRESS` set, that cluster is joined; else one is started on this machine, on its loopback, for as long as the
command lasts. Nothing is reported to anybody, and there is no dashboard.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any, NamedTuple

from lrat_bench.errors import MissingLibrary, UsageError

__all__ = ["Cluster", "Node", "Share", "is_there_again", "joined", "share"]

_STORE = 128 * 1024**2
"""Bytes of Ray's object store on this machine: what is passed around is small."""

_PATIENCE = 60.0
"""Seconds that a worker which died may take to be there again."""

_LOOK = 0.5
"""Seconds between two looks at whether it is."""

_RESTARTS = -1  # for ever: how often a piece of work may be tried is counted by whoever hands it out


class Node(NamedTuple):
    """What one machine of a cluster has."""

    cpus: float
    gpus: float


class Share(NamedTuple):
    """What one worker is given."""

    cpus: int
    gpus: float


@dataclass(frozen=True)
class Cluster:
    """A cluster that was joined.

    Attributes:
        ray: the library.
        nodes: its machines.
    """

    ray: Any
    nodes: tuple[Node, ...]

    def start(self, work: type, share: Share, count: int, *arguments: Any, at_once: int) -> list[Any]:
        """Processes that each hold an object of a class, and run its methods.

        Args:
            work: the class.
            share: what each process is given.
            count: how many.
            arguments: of the class.
            at_once: calls that one process carries out side by side.
        """
        remote = self.ray.remote(work).options(
            num_cpus=share.cpus,
            num_gpus=share.gpus,
            max_restarts=_RESTARTS,
            max_task_retries=0,
            max_concurrency=at_once,
        )
        return [remote.remote(*arguments) for _ in range(count)]


@contextmanager
def joined() -> Iterator[Cluster]:
    """The cluster that `RAY_ADDRESS` names, else one of this machine alone; left when the block ends.

    Raises:
        MissingLibrary: Ray is not installed.
        UsageError: the cluster cannot be joined or started.
    """
    # Read when the library is imported. The second name is Ray's own way of saying "on the loopback".
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    address = os.environ.get("RAY_ADDRESS")
    if not address:
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        import ray
    except ImportError:
        raise MissingLibrary("ray, which --engine ray runs on,", install='"lrat-bench[ray]"') from None
    library: Any = ray
    there = library.is_initialized()
    # What Ray has to say of workers that died goes where progress goes: stdout is for results.
    with redirect_stdout(sys.stderr):
        try:
            if not there:
                _join(library, address)
            yield Cluster(library, tuple(_nodes(library)))
        finally:
            if not there:
                library.shutdown()


def is_there_again(ray: Any, worker: Any) -> bool:
    """Wait until a worker that died is started again.

    Ray has one error for a call that a worker died over and for one that it could not take since it was being started
    again. Whoever waits before the next call need not tell them apart: what fails then is a death.

    Args:
        ray: the library.
        worker: that died.

    Returns:
        False where it is not there after a minute: its machine has left, or has no room for it any more.
    """
    until = time.monotonic() + _PATIENCE
    while (left := until - time.monotonic()) > 0:
        try:
            ray.get(worker.__ray_ready__.remote(), timeout=left)
        except ray.exceptions.RayActorError:
            time.sleep(_LOOK)
        except ray.exceptions.GetTimeoutError:
            break
        else:
            return True
    return False


def _join(ray: Any, address: str | None) -> None:
    common: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    local: dict[str, Any] = {
        "include_dashboard": False,
        "object_store_memory": _STORE,
        "_node_ip_address": "127.0.0.1",
    }
    try:
        if address:
            ray.init(address=address, **common)
        else:
            ray.init(address="local", **local, **common)
    except Exception as error:
        where = f"cluster {address!r} (RAY_ADDRESS) cannot be joined" if address else "Ray cannot be started"
        raise UsageError(f"{where}: {' '.join(str(error).split())[:300]}") from error


def _nodes(ray: Any) -> Iterator[Node]:
    for node in ray.nodes():
        if node["Alive"]:
            yield Node(node["Resources"].get("CPU", 0.0), node["Resources"].get("GPU", 0.0))


def share(nodes: tuple[Node, ...], workers: int | None, *, gpu: bool) -> tuple[int, Share]:
    """How many workers there are, and what each of them is given.

    Args:
        nodes: machines of the cluster.
        workers: how many were asked for; None is one for each GPU, or for each machine where none is used.
        gpu: whether the work is done on GPUs where there are any.

    Raises:
        UsageError: there is no room for so many.
    """
    cards = sum(int(node.gpus) for node in nodes) if gpu else 0
    able = [node for node in nodes if node.gpus >= 1] if cards else list(nodes)
    count = workers or cards or max(1, len(able))
    room = sum(int(node.cpus) for node in able)
    if count > room:
        raise UsageError(f"{count} workers were asked for, and the cluster has room for {room}, one a CPU: give fewer")
    most = max(int(node.cpus) for node in able)
    cpus = next(each for each in range(most, 0, -1) if sum(int(node.cpus) // each for node in able) >= count)
    # Workers that share a card: as many on each as it takes.
    return count, Share(cpus, 0.0 if not cards else 1.0 if count <= cards else 1.0 / -(-count // cards))
