"""The scie's manifest: the last line of the file, one JSON object that the launcher reads on every start.

docs/reference/format.md describes the fields. The structs are the schema: msgspec renders and validates them.
"""

from __future__ import annotations

import zlib
from typing import Annotated

import msgspec

from czscie.documents import DocumentError, decode_json
from czscie.errors import Code, CzscieError
from czscie.platforms import PLATFORMS, Platform

FORMAT = 1

#: The environment variable that chooses a tool of the launcher, as scie users know it.
TOOLS = "SCIE"

#: What the parts of a scie that are not interpreters are called in the manifest.
PAYLOAD = "payload"
FILES = ".files"
LIBC = ".libc"
#: The program that installs lazy parts.
FETCHER = ".fetch"

#: The entry of the last zip that is the bill of materials; no plan names it (native/src/tools/sbom.zig).
SBOM = ".czscie/sbom.cdx.json"


#: Bytes: more than any file has, so that sums of them can be shown.
Size = Annotated[int, msgspec.Meta(ge=0, le=1 << 60)]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of the scie that is installed as one directory: its zip lies at `offset`, `size` bytes long.

    `digest` is the SHA-256 of its plan; `unpacked` the bytes that the installation takes; `first_module`
    of an interpreter the path of the file that it imports first. It does not work without the lazy parts that
    it `requires`.
    """

    name: str
    kind: str
    digest: Sha256
    offset: Size
    size: Size
    unpacked: Size
    description: str = ""
    first_module: str = ""
    requires: tuple[str, ...] = ()


class LazyPart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part that is not in the scie: the first start that needs it downloads the file `fetched`, whose URL
    `ptex` has, or has the binding `source` print it.

    `digest` is the name of the installation. `path` is where in it the file is or, of an archive, its
    members. `size` and `hash` (SHA-256) are those of the file.
    """

    name: str
    kind: str
    digest: str
    fetched: str
    type: str
    path: str = ""
    size: Size | None = None
    hash: Sha256 | None = None
    executable: bool = False
    source: str | None = None


class Command(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A boot command. In `env` a key `NAME` is a default and `=NAME` replaces. With null, `=NAME` removes the
    variable, and a key without `=` is a regular expression of the names to remove.
    """

    exe: str
    args: tuple[str, ...] = ()
    env: dict[str, str | None] = {}
    description: str | None = None


class Place(msgspec.Struct, frozen=True):
    """A path in an installed part."""

    part: str
    path: str


class Boot(msgspec.Struct, frozen=True, omit_defaults=True):
    """`bindings` are commands that run once. `names` and `hashes` are the places and the SHA-256 of files by
    their names in placeholders, for names that are known only when a command is started. `by_name` lets the
    name of the executable choose a command before the default one. With `quiet`, a first start shows nothing
    while it unpacks. `urls` is the path of a document whose
    `ptex` replaces URLs of lazy parts.
    """

    commands: dict[str, Command]
    bindings: dict[str, Command] = {}
    load_dotenv: bool = False
    quiet: bool = False
    names: dict[str, Place] = {}
    hashes: dict[str, str] = {}
    by_name: bool = False
    urls: str | None = None


class Launcher(msgspec.Struct, frozen=True):
    """The native program at the head of the file."""

    version: str
    size: Size
    hash: str


class Needs(msgspec.Struct, frozen=True, omit_defaults=True):
    """Requirements of the host. `glibc` is a version such as `2.17`."""

    glibc: str | None = None
    musl: bool = False


class OwnLibc(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The bundled C library.

    Its part has the kind `libc`. It is used on hosts that have none or, if `always`, everywhere. `loader` is
    the path that identifies a host with a C library, `libraries` the names that the host must have besides.
    `plans` are the digests of the parts that are installed differently then, by the parts' names. `env` are
    variables for programs that start with it, unless they are set.
    """

    loader: str
    plans: dict[str, str]
    libraries: tuple[str, ...] = ()
    always: bool = False
    env: dict[str, str] = {}


class LiftManifest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The launcher's instructions. `tools` is the variable that chooses a tool; an empty one is for none."""

    name: str
    platform: str
    files: tuple[Part, ...]
    boot: Boot
    needs: Needs = Needs()
    description: str | None = None
    base: str | None = None
    tools: str = TOOLS
    libc: OwnLibc | None = None
    lazy: tuple[LazyPart, ...] = ()


class Scie(msgspec.Struct, frozen=True):
    format: int
    jump: Launcher
    lift: LiftManifest


class Manifest(msgspec.Struct, frozen=True, omit_defaults=True):
    """`ptex` are the URLs of lazy parts by the names of their files, where science's ptex looks for them."""

    scie: Scie
    ptex: dict[str, str] = {}

    @property
    def platform(self) -> Platform | None:
        """The platform that the file is for, None when this version does not know it."""
        return next((each for each in PLATFORMS if each.name == self.scie.lift.platform), None)

    def render(self) -> bytes:
        """The manifest as the comment of the last zip: a line of its own, with a checksum of itself."""
        body = msgspec.json.encode(self)[:-1]
        return b'\n%b,"crc32":"%08x"}\n' % (body, zlib.crc32(body))

    @classmethod
    def parse(cls, text: bytes, label: str) -> Manifest:
        """Raises CzscieError, which calls the file `label`, when `text` is not a manifest."""
        body, found, seal = text.strip(b"\n").rpartition(b',"crc32":"')
        if not found or seal != b'%08x"}' % zlib.crc32(body):
            raise CzscieError(
                f"the manifest of {label} is damaged",
                code=Code.EXECUTABLE_DAMAGED,
                hint="copy or build the file again",
            )
        try:
            manifest = decode_json(text, cls)
        except DocumentError as error:
            raise CzscieError(
                f"the manifest of {label} cannot be read", code=Code.EXECUTABLE_DAMAGED, why=str(error)
            ) from error
        if manifest.scie.format != FORMAT:
            raise CzscieError(
                f"{label} has format {manifest.scie.format}",
                code=Code.OTHER_VERSION,
                why=f"this czscie reads format {FORMAT}",
                hint="use the czscie that it was built with",
            )
        return manifest
