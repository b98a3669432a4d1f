"""`czscie sbom`."""

from __future__ import annotations

from czscie.commands.options import Executable


def sbom(file: Executable) -> None:
    """Print an executable's bill of materials: CycloneDX 1.6, in JSON.

    It is in the executable, which prints it by itself too: SCIE=sbom FILE.
    """
    from czscie import api
    from czscie.console import write_result

    write_result(api.sbom(file).decode().removesuffix("\n"))
