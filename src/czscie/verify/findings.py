"""The findings of the verifications that the user asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from czscie.errors import Code, CzscieError
from czscie.lock.inventory.comparison import Comparison
from czscie.lock.lock import read_lock
from czscie.sbom.read import read_bill
from czscie.scie.inspect import read_sbom, read_scie
from czscie.session import Session
from czscie.verify.file import Verification, verify_file
from czscie.verify.lock import compare_with_lock, own_launcher


@dataclass(frozen=True, slots=True)
class Findings:
    """`lock` and `rebuilt` are None unless requested; `rebuilt` are lines about differences."""

    path: Path
    file: Verification
    lock: Comparison | None
    rebuilt: tuple[str, ...] | None

    @property
    def problems(self) -> tuple[str, ...]:
        """All problems, one per line."""
        differences = () if self.lock is None else self.lock.differences
        return (*map(str, self.file.problems), *differences, *(self.rebuilt or ()))

    def as_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "ok": not self.problems,
            "path": str(self.path),
            "entries": self.file.entries,
            "problems": [
                {"where": each.where, "subject": each.subject, "problem": each.problem}
                for each in self.file.problems
            ],
        }
        if self.lock is not None:
            document["lock"] = {
                "agreed": self.lock.agreed,
                "differences": self.lock.differences,
                "unknown": self.lock.unknown,
            }
        if self.rebuilt is not None:
            document["rebuilt"] = {"identical": not self.rebuilt, "differences": list(self.rebuilt)}
        return document


def verify(path: Path, lock: Path | None, manifest: Path | None, session: Session) -> Findings:
    """Verifies the executable at `path`: by its digests, with `lock`, and by rebuilding `manifest`.

    Raises CzscieError when one of them is unreadable, or the rebuild fails.
    """
    file = verify_file(path)
    if file.problems:  # there is nothing to compare
        return Findings(path, file, None, None)
    compared = None if lock is None else _compared(path, lock, session)
    rebuilt = None
    if manifest is not None:
        from czscie.verify.rebuild import rebuild

        rebuilt = rebuild(path, manifest, session)
    return Findings(path, file, compared, rebuilt)


def _compared(path: Path, lock_path: Path, session: Session) -> Comparison:
    lock = read_lock(lock_path)
    if lock is None:
        raise CzscieError(
            f"there is no lock {lock_path}", code=Code.LOCK_MISSING, hint="czscie lock writes it"
        )
    contents = read_scie(path)
    bill = read_bill(read_sbom(path), str(path))
    return compare_with_lock(contents, bill, lock, own_launcher(contents, lock, session))
