"""Attestations: what maintainers checked beyond the arithmetic, who did, when, and on what evidence.

They lie in `attestations.json` beside the submission, in the board's own repository. Each names the SHA-256 of the
`submission.json` that was checked, which names its records by theirs: a submission that changes loses its tier.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field

from lrat_bench.files import write_json
from lrat_bench.leaderboard.submission import Day, Line, Prose, Sha, _Record

__all__ = ["FILE", "TIERS", "Attestation", "AttestationFile", "Tier", "attest", "tier_of", "tiers_of"]

FILE = "attestations.json"

Tier = Literal["self-reported", "recomputed", "retrieval-verified", "verified"]

TIERS: dict[Tier, str] = {
    "self-reported": "the arithmetic holds: every number was recomputed from the records",
    "recomputed": "maintainers had the answers judged again by the pinned judge, and the verdicts stand; it "
    "says nothing of the lists that were logged",
    "retrieval-verified": "maintainers replayed the logged queries, and the retriever returned the logged hits; it "
    "says nothing of answers and verdicts",
    "verified": "maintainers ran it again, and the difference is within chance",
}
"""Tier → what it says, lowest first."""


class Attestation(_Record):
    """One check that a submission passed."""

    tier: Literal["recomputed", "retrieval-verified", "verified"]
    submission: Sha = Field(description="SHA-256 of the submission.json that was checked")
    by: Line = Field(description="which maintainer")
    when: Day = Field(description="day, UTC")
    evidence: Prose = Field(description="what was compared, and what came out")
    version: Line = Field(description="of lrat-bench")


class AttestationFile(_Record):
    """`attestations.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True)

    schema_: Literal["lrat-bench/attestations/1"] = Field(default="lrat-bench/attestations/1", alias="schema")
    attestations: tuple[Attestation, ...] = Field(max_length=100)


def tier_of(attestations: Sequence[Attestation], digest: str) -> tuple[Tier, tuple[Attestation, ...]]:
    """The highest tier that holds of a submission, and the attestations that are of it as it is now.

    Args:
        attestations: all that there are.
        digest: SHA-256 of its `submission.json`.
    """
    order = list(TIERS)
    current = tuple(one for one in attestations if one.submission == digest)
    return max((one.tier for one in current), key=order.index, default="self-reported"), current


def tiers_of(attestations: Sequence[Attestation], digest: str) -> tuple[Tier, ...]:
    """All tiers that hold of a submission, lowest first: each is a check of its own, and none stands for another.

    Args:
        attestations: all that there are.
        digest: SHA-256 of its `submission.json`.
    """
    current = {one.tier for one in tier_of(attestations, digest)[1]}
    return tuple(tier for tier in TIERS if tier in current) or ("self-reported",)


def attest(
    folder: Path,
    kept: Sequence[Attestation],
    *,
    tier: Literal["recomputed", "retrieval-verified", "verified"],
    digest: str,
    by: str,
    evidence: str,
) -> Attestation:
    """Add an attestation to a submission's file; an earlier one of the same tier gives way.

    Args:
        folder: of the submission.
        kept: what the file holds already.
        tier: what was checked.
        digest: SHA-256 of the `submission.json` that was checked.
        by: which maintainer.
        evidence: what was compared, and what came out.
    """
    from lrat_bench.versions import installed_versions

    made = Attestation(
        tier=tier,
        submission=digest,
        by=by,
        when=datetime.now(UTC).strftime("%Y-%m-%d"),
        evidence=evidence,
        version=installed_versions(["lrat-bench"]).get("lrat-bench", "unknown"),
    )
    others = tuple(one for one in kept if one.tier != tier)
    write_json(folder / FILE, AttestationFile(attestations=(*others, made)).model_dump(mode="json", by_alias=True))
    return made
