"""A Sigstore instance of our own: certificate authority, certificate log, transparency log, root of trust.

It signs as the public one does, so that the library verifies every signature and every hash of it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from czscie.attestation.provenance import ISSUER, REPOSITORY, WORKFLOW

TIME = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
RUN = f"{REPOSITORY}/actions/runs/20812345678/attempts/1"

#: RFC 6962, 3.3: where a certificate holds what certificate logs signed.
_TIMESTAMPS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_FULCIO = "1.3.6.1.4.1.57264.1"
_DAYS = timedelta(days=365)


@dataclass(frozen=True)
class Attestation:
    """What is attested, and how: as the release workflow does unless a test says otherwise."""

    digests: Sequence[str]
    identity: str = WORKFLOW
    issuer: str = ISSUER
    repository: str = REPOSITORY
    predicate_type: str = "https://slsa.dev/provenance/v1"
    payload_type: str = "application/vnd.in-toto+json"
    #: When it was logged, after the certificate began to be valid; that is for ten minutes.
    logged_after: timedelta = timedelta(minutes=1)

    def statement(self) -> bytes:
        subjects = [
            {"name": f"cpython-{number}-20260101T0304.tar.gz", "digest": {"sha256": digest}}
            for number, digest in enumerate(self.digests)
        ]
        predicate = {"buildDefinition": {}, "runDetails": {"metadata": {"invocationId": RUN}}}
        statement = {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": subjects,
            "predicateType": self.predicate_type,
            "predicate": predicate,
        }
        return json.dumps(statement).encode()


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True)
class Instance:
    authority: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    certificate_log: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    transparency_log: ec.EllipticCurvePrivateKey = field(default_factory=_key)

    def trusted_root(self) -> dict[str, Any]:
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [_log(self.transparency_log, "https://log.example.com")],
            "certificateAuthorities": [
                {
                    "subject": {"organization": "example.com", "commonName": "authority"},
                    "uri": "https://authority.example.com",
                    "certChain": {"certificates": [{"rawBytes": _base64(_der(self._root()))}]},
                    "validFor": {"start": _text(TIME - _DAYS)},
                }
            ],
            "ctlogs": [_log(self.certificate_log, "https://certificates.example.com")],
            "timestampAuthorities": [],
        }

    def attest(self, attestation: Attestation) -> dict[str, Any]:
        """The bundle, as JSON."""
        signer = _key()
        certificate = self._certificate(signer, attestation)
        payload = attestation.statement()
        kind = attestation.payload_type
        signature = _sign(signer, f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload)
        entry = self._entry(certificate, payload, signature, TIME + attestation.logged_after)
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": {"rawBytes": _base64(_der(certificate))},
                "tlogEntries": [entry],
                "timestampVerificationData": {},
            },
            "dsseEnvelope": {
                "payload": _base64(payload),
                "payloadType": kind,
                "signatures": [{"sig": _base64(signature)}],
            },
        }

    def _root(self) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        public = self.authority.public_key()
        return (
            x509.CertificateBuilder(name, name, public, 1, TIME - _DAYS, TIME + _DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(_usage(certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self.authority, hashes.SHA256())
        )

    def _certificate(self, signer: ec.EllipticCurvePrivateKey, attestation: Attestation) -> x509.Certificate:
        """As Fulcio makes them: for ten minutes, no subject but a URI, GitHub's claims as extensions."""
        claims = {"8": attestation.issuer, "12": attestation.repository}
        issuer = self.authority.public_key()
        builder = (
            x509.CertificateBuilder(
                self._root().subject,
                x509.Name([]),
                signer.public_key(),
                2,
                TIME,
                TIME + timedelta(minutes=10),
            )
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(signer.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
            .add_extension(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier(attestation.identity)]),
                critical=True,
            )
        )
        for number, value in claims.items():
            oid = x509.ObjectIdentifier(f"{_FULCIO}.{number}")
            builder = builder.add_extension(x509.UnrecognizedExtension(oid, _utf8(value)), critical=False)
        # What the log signs is the certificate without the log's own extension, which comes last.
        precertificate = builder.sign(self.authority, hashes.SHA256()).tbs_certificate_bytes
        timestamps = x509.UnrecognizedExtension(_TIMESTAMPS, self._timestamps(precertificate))
        return builder.add_extension(timestamps, critical=False).sign(self.authority, hashes.SHA256())

    def _timestamps(self, precertificate: bytes) -> bytes:
        """RFC 6962, 3.2 and 3.3: one signed certificate timestamp, in a list."""
        milliseconds = int(TIME.timestamp() * 1000)
        entry = _key_id(self.authority) + len(precertificate).to_bytes(3, "big") + precertificate
        signature = _sign(self.certificate_log, struct.pack("!BBQH", 0, 0, milliseconds, 1) + entry + b"\0\0")
        timestamp = struct.pack("!B32sQH", 0, _key_id(self.certificate_log), milliseconds, 0)
        timestamp += struct.pack("!BBH", 4, 3, len(signature)) + signature  # SHA-256, ECDSA
        one = struct.pack("!H", len(timestamp)) + timestamp
        return _octets(struct.pack("!H", len(one)) + one)

    def _entry(
        self, certificate: x509.Certificate, payload: bytes, signature: bytes, time: datetime
    ) -> dict[str, Any]:
        """The log's only entry, with its proof: the tree is its leaf."""
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        spec = {
            "envelopeHash": {"algorithm": "sha256", "value": "0" * 64},
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
            "signatures": [{"signature": _base64(signature), "verifier": _base64(pem)}],
        }
        body = json.dumps({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec}).encode()
        log = _key_id(self.transparency_log)
        seconds = int(time.timestamp())
        promised = {
            "body": _base64(body),
            "integratedTime": seconds,
            "logID": log.hex(),
            "logIndex": 0,
        }
        canonical = json.dumps(promised, sort_keys=True, separators=(",", ":")).encode()
        root = hashlib.sha256(b"\0" + body).digest()
        note = f"log.example.com - 1\n1\n{_base64(root)}\n"
        signed = _base64(log[:4] + _sign(self.transparency_log, note.encode()))
        return {
            "logIndex": "0",
            "logId": {"keyId": _base64(log)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(seconds),
            "inclusionPromise": {"signedEntryTimestamp": _base64(_sign(self.transparency_log, canonical))},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": _base64(root),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": f"{note}\n\u2014 log.example.com {signed}\n"},
            },
            "canonicalizedBody": _base64(body),
        }


def _log(key: ec.EllipticCurvePrivateKey, url: str) -> Mapping[str, Any]:
    return {
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": _base64(_public(key)),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": {"start": _text(TIME - _DAYS)},
        },
        "logId": {"keyId": _base64(_key_id(key))},
    }


def _usage(*, digital_signature: bool = False, certificates: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(encoding, form)


def _key_id(key: ec.EllipticCurvePrivateKey) -> bytes:
    return hashlib.sha256(_public(key)).digest()


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _utf8(text: str) -> bytes:
    assert len(text) < 128
    return bytes([0x0C, len(text)]) + text.encode()


def _octets(data: bytes) -> bytes:
    """DER: an OCTET STRING."""
    length = len(data)
    prefix = bytes([length]) if length < 128 else bytes([0x81, length])
    return b"\x04" + prefix + data


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _text(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")
