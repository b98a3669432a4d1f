"""Windows executables for tests: the least that is one, signing as a developer does, and a judge."""

from __future__ import annotations

import datetime
import shutil
import struct
import subprocess
from pathlib import Path

import pytest


def image(code: bytes = b"\xc3", headers: int = 0x400, directories: int = 16) -> bytes:
    """A linker's image of one section with `code`, its headers `headers` bytes long."""
    raw = code.ljust(-(-len(code) // 0x200) * 0x200, b"\0")
    optional_size = 112 + 8 * directories
    optional = bytearray(optional_size)
    struct.pack_into("<HBBIII", optional, 0, 0x20B, 14, 0, len(raw), len(raw), 0)
    struct.pack_into("<IIQII", optional, 16, 0x1000, 0x1000, 0x140000000, 0x1000, 0x200)
    struct.pack_into("<6H", optional, 40, 6, 0, 0, 0, 6, 0)
    struct.pack_into("<IIIIHH", optional, 52, 0, 0x2000, headers, 0, 3, 0x8160)
    struct.pack_into("<I", optional, 108, directories)
    section = struct.pack("<8s6I2HI", b".text", len(code), 0x1000, len(raw), headers, 0, 0, 0, 0, 0x60000020)
    file_header = struct.pack("<4sHHIIIHH", b"PE\0\0", 0x8664, 1, 0, 0, 0, optional_size, 0x22)
    head = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x78)
    return (head.ljust(0x78, b"\0") + file_header + bytes(optional) + section).ljust(headers, b"\0") + raw


def icon(*images: bytes) -> bytes:
    """An .ico file of these images, 16 by 16 pixels each."""
    images = images or (b"\x89PNG\r\n\x1a\n" + b"pixels",)
    at = 6 + 16 * len(images)
    out = struct.pack("<HHH", 0, 1, len(images))
    for each in images:
        out += struct.pack("<4B2H2I", 16, 16, 0, 0, 1, 32, len(each), at)
        at += len(each)
    return out + b"".join(images)


def osslsigncode(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs a signer and verifier that knows nothing of czscie."""
    program = shutil.which("osslsigncode")
    if program is None:
        pytest.skip("wants osslsigncode (python3 check.py installs it)")
    return subprocess.run([program, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)


def certificate(directory: Path) -> Path:
    """A self-signed certificate for code, with its key, as a PEM file in `directory`."""
    pytest.importorskip("cryptography")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "czscie test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(2100, 1, 1))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = directory / "signer.pem"
    pem.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem


def sign(path: Path, output: Path, pem: Path) -> None:
    """Signs as a developer does."""
    done = osslsigncode("sign", "-certs", pem, "-key", pem, "-in", path, "-out", output, "-h", "sha256")
    assert done.returncode == 0, done.stdout + done.stderr


def judged(path: Path, pem: Path) -> bool:
    """Whether osslsigncode finds nothing wrong with the signature of `path`, made with `pem`."""
    return osslsigncode("verify", "-CAfile", pem, "-in", path).returncode == 0
