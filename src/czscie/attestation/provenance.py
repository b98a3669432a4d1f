"""A bundle, verified: its signature, its place in the transparency log, who signed, and what it says.

Statements are in-toto's (https://in-toto.io/Statement/v1), predicates SLSA's (https://slsa.dev/provenance/v1).
The identity is in the certificate's extensions: https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from czscie.documents import DocumentError, decode_json
from czscie.errors import Code, CzscieError
from czscie.leftovers import scratch

if TYPE_CHECKING:
    from sigstore.verify import Verifier
    from sigstore.verify.policy import VerificationPolicy

REPOSITORY = "https://github.com/astral-sh/python-build-standalone"
#: The workflow that builds releases. It is started by hand on the main branch: another branch of the same
#: repository may hold another release.yml.
WORKFLOW = f"{REPOSITORY}/.github/workflows/release.yml@refs/heads/main"
ISSUER = "https://token.actions.githubusercontent.com"

_STATEMENT = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://slsa.dev/provenance/v1"
_PAYLOAD = "application/vnd.in-toto+json"
_EXTRA = "pip install 'czscie[attest]'"


class Refused(Exception):
    """A bundle that proves nothing, and why."""


class Subject(msgspec.Struct, frozen=True):
    """A file that a statement covers. The workflow chose its name, so only the digest counts."""

    digest: dict[str, str]
    name: str = ""


class Provenance(msgspec.Struct, frozen=True, rename={"type": "_type", "predicate_type": "predicateType"}):
    """A statement that the release workflow signed: it built these subjects."""

    type: str
    predicate_type: str
    subject: tuple[Subject, ...]
    predicate: dict[str, Any] = {}

    def covers(self, sha256: str) -> bool:
        """Whether it covers the file with that SHA-256."""
        return any(subject.digest.get("sha256") == sha256 for subject in self.subject)

    @property
    def run(self) -> str | None:
        """The URL of the workflow's run, if the statement names it."""
        value: object = self.predicate
        for key in ("runDetails", "metadata", "invocationId"):
            value = value.get(key) if isinstance(value, dict) else None
        return value if isinstance(value, str) else None


class Verifiers:
    """Sigstore's verification with one or more trusted roots."""

    def __init__(self, trusted_root: Path | None, *, offline: bool) -> None:
        """`trusted_root` is a file of trusted roots, as `gh attestation trusted-root` prints them. Without it
        Sigstore is asked for its own through TUF; when `offline`, the one that came with the package serves.

        Raises CzscieError when there is none, or when the package sigstore is not installed.
        """
        try:
            import cramjam  # noqa: F401 (what GitHub sends is packed with it)
            import sigstore.verify  # noqa: F401
        except ImportError as error:
            raise CzscieError(
                "attestations cannot be verified here",
                code=Code.ATTESTATION_UNVERIFIED,
                why=f"{error.name} is not installed",
                hint=_EXTRA,
            ) from error
        logging.getLogger("sigstore").addHandler(logging.NullHandler())
        logging.getLogger("tuf").addHandler(logging.NullHandler())
        self._verifiers = [_of_sigstore(offline)] if trusted_root is None else _of_file(trusted_root)

    def verify(self, bundle: bytes) -> Provenance:
        """What the bundle proves, after checking that the release workflow signed it. Raises Refused."""
        from sigstore.errors import Error
        from sigstore.models import Bundle

        try:
            parsed = Bundle.from_json(bundle)
        except (Error, ValueError) as error:
            raise Refused(f"it is not a Sigstore bundle: {_first_line(error)}") from error
        refusals = []
        for verifier in self._verifiers:
            try:
                kind, payload = verifier.verify_dsse(parsed, _policy())
                return _parse(kind, payload)
            except (Error, ValueError) as error:
                refusals.append(_first_line(error))
        raise Refused("; ".join(dict.fromkeys(refusals)))


def _policy() -> VerificationPolicy:
    from sigstore.verify.policy import AllOf, Identity, OIDCIssuerV2, OIDCSourceRepositoryURI

    return AllOf([OIDCIssuerV2(ISSUER), OIDCSourceRepositoryURI(REPOSITORY), Identity(identity=WORKFLOW)])


def _of_sigstore(offline: bool) -> Verifier:
    from sigstore.errors import Error
    from sigstore.verify import Verifier

    try:
        return Verifier.production(offline=offline)
    except Error as error:
        raise CzscieError(
            "cannot fetch Sigstore's trusted root",
            code=Code.ATTESTATION_UNVERIFIED,
            why=[_first_line(each) for each in (error, error.__cause__) if isinstance(each, Exception)],
            hint="save it with `gh attestation trusted-root > FILE`, then pass --trusted-root FILE",
        ) from error


def _of_file(path: Path) -> list[Verifier]:
    """A verifier for each root of the file but those without a log, as is that of GitHub's own instance."""
    from sigstore.errors import Error
    from sigstore.models import TrustedRoot
    from sigstore.verify import Verifier

    verifiers = []
    try:
        with scratch() as directory:
            one = directory / "trusted_root.json"
            for root in _roots(path.read_bytes()):
                if root.get("tlogs"):
                    one.write_bytes(msgspec.json.encode(root))
                    verifiers.append(Verifier(trusted_root=TrustedRoot.from_file(str(one))))
    except OSError as error:
        raise CzscieError(
            f"cannot read {path}", code=Code.FILE_UNREADABLE, why=error.strerror or str(error)
        ) from error
    except (Error, ValueError, msgspec.MsgspecError) as error:
        raise CzscieError(
            f"{path} is not a Sigstore trusted root", code=Code.ATTESTATION_UNVERIFIED, why=_first_line(error)
        ) from error
    if not verifiers:
        raise CzscieError(
            f"{path} is not a Sigstore trusted root",
            code=Code.ATTESTATION_UNVERIFIED,
            why="it names no transparency log",
        )
    return verifiers


def _roots(text: bytes) -> list[dict[str, Any]]:
    """One JSON object, or one per line."""
    kind = dict[str, Any]
    try:
        return [decode_json(text, kind)]
    except DocumentError:
        return [decode_json(line, kind) for line in text.splitlines() if line.strip()]


def _parse(kind: str, payload: bytes) -> Provenance:
    if kind != _PAYLOAD:
        raise Refused(f"it signs a {kind}, not an in-toto statement")
    try:
        statement = decode_json(payload, Provenance)
    except DocumentError as error:
        raise Refused(f"its statement is invalid: {error}") from error
    if (statement.type, statement.predicate_type) != (_STATEMENT, _PREDICATE):
        raise Refused(f"it is a {statement.predicate_type}, not SLSA provenance")
    return statement


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
