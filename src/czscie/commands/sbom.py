"""`czscie sbom`."""

from __future__ import annotations

from czscie.commands.options import Executable


def sbom(file: Executable) -> None:
    """Print the bill of materials of an executable: CycloneDX 1.6, in JSON.

    The executable contains it and prints it too: SCIE=sbom FILE.
    """
    from czscie import api
    from czscie.console import write_result

    write_result(api.sbom(file).decode().removesuffix("\n"))
