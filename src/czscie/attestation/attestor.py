"""Checks that the release workflow built an archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from czscie.attestation.bundles import BRING_ALONG, Bundles, BundlesInFiles, BundlesOfGitHub
from czscie.attestation.provenance import WORKFLOW, Provenance, Refused, Verifiers
from czscie.errors import Code, CzscieError
from czscie.network.network import OFFLINE, Network
from czscie.progress import Progress

if TYPE_CHECKING:
    from czscie.console import Console

#: The first release with attestations.
_FIRST_RELEASE = "20250212"


class Attestor:
    """Verifies archives, and remembers the results: one attestation covers all archives of a release."""

    def __init__(self, bundles: Bundles, verifiers: Verifiers) -> None:
        self._bundles = bundles
        self._verifiers = verifiers
        self._verified: list[Provenance] = []

    @classmethod
    def of(
        cls,
        network: Network,
        console: Console | None = None,
        attestations: Path | None = None,
        trusted_root: Path | None = None,
    ) -> Attestor:
        """Uses the attestations of GitHub, or those of a file or a directory.

        `network` defaults to the settings of the environment. With `attestations` no socket is opened. Raises
        CzscieError.
        """
        if attestations is not None and not attestations.exists():
            raise CzscieError(f"there is no file or directory {attestations}", code=Code.FILE_UNREADABLE)
        if attestations is None and network.offline:
            raise CzscieError(
                "cannot fetch attestations from GitHub: czscie is offline",
                code=Code.OFFLINE,
                why=f"--offline or {OFFLINE} is set",
                hint=BRING_ALONG,
            )
        verifiers = Verifiers(trusted_root, offline=attestations is not None)
        if attestations is not None:
            return cls(BundlesInFiles(attestations), verifiers)
        return cls(BundlesOfGitHub(network, Progress(console)), verifiers)

    def attest(self, sha256: str, label: str) -> Provenance:
        """The provenance of the archive with that SHA-256, in hexadecimal.

        Raises CzscieError, which calls the archive `label`, when no attestation covers it.
        """
        known = next((each for each in self._verified if each.covers(sha256)), None)
        return known or self._verify(sha256, label)

    def _verify(self, sha256: str, label: str) -> Provenance:
        bundles = self._bundles.find(sha256)
        if not bundles:
            raise CzscieError(
                f"{label} has no attestation",
                code=Code.ATTESTATION_UNVERIFIED,
                why=(f"there is none for sha256:{sha256} at {self._bundles}",),
                hint=f"choose release {_FIRST_RELEASE} or a later one, or lock without --attest",
            )
        refusals = []
        for bundle in bundles:
            try:
                provenance = self._verifiers.verify(bundle)
            except Refused as refusal:
                refusals.append(str(refusal))
                continue
            self._verified.append(provenance)
            if provenance.covers(sha256):
                return provenance
            refusals.append(f"it does not attest sha256:{sha256}")
        raise CzscieError(
            f"no attestation of {label} proves that {WORKFLOW} built it",
            code=Code.ATTESTATION_UNVERIFIED,
            why=refusals,
            hint="do not use the archive; look at https://github.com/astral-sh/python-build-standalone/attestations",
        )
