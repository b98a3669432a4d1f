"""Why modules stay files, as far as a file tells: docs/explained/packing.md has the rules."""

from __future__ import annotations

from czscie.pack.standard_library import file_reason

NOT_PACKED = "nothing is packed here"
NOT_RECORDED = "the reason is not recorded in this file"
HIDDEN = "an extension module of the same name is imported in its place"


def library_reason(path: str) -> str:
    """Why the module at `path` of a standard library that is packed stays a file."""
    if path.startswith("site-packages/"):
        return "packages in an interpreter are not packed"
    if (reason := file_reason(path)) is not None:
        return reason
    return "lift.pack.files names it, a distribution reads the modules of others, or it does not compile"
