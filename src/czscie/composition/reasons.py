"""Why modules stay files, as far as a file tells: docs/explained/packing.md has the rules."""

from __future__ import annotations

from czscie.pack.standard_library import file_reason

NOT_PACKED = "Nothing is packed here"
NOT_RECORDED = "The reason is not recorded in this file"
WITHOUT_BYTECODE = "Its bytecode is not in the import archive: it is a test, or does not compile"


def library_reason(path: str, has_bytecode: bool) -> str:
    """Why the module at `path` of a standard library that is packed stays a file."""
    if path.startswith("site-packages/"):
        return "Packages in an interpreter are not packed"
    if (reason := file_reason(path)) is not None:
        return reason
    if not has_bytecode:
        return "It does not compile"
    return "The manifest names it, or a distribution reads the modules of others. Which is not recorded"
