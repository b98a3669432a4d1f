"""The certificates that TLS connections are verified with: the system's, or those that the user names."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Mapping
from pathlib import Path

from czscie.errors import Code, CzscieError

FILE = "SSL_CERT_FILE"
DIRECTORY = "SSL_CERT_DIR"

#: Where Linux distributions and BSDs keep them, for an OpenSSL that was built to look elsewhere.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def tls_context(environ: Mapping[str, str]) -> ssl.SSLContext:
    """The settings that verify TLS connections.

    SSL_CERT_FILE and SSL_CERT_DIR alone if they are set; else the system's store; else, if it has none,
    Mozilla's authorities from certifi. Raises CzscieError when a file that is set cannot be read.
    """
    file, directory = environ.get(FILE) or None, environ.get(DIRECTORY) or None
    if file or directory:
        return _named(file, directory)
    if sys.platform in ("darwin", "win32"):
        import truststore

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ssl.create_default_context(cafile=_bundle())


def refusal(error: ssl.SSLCertVerificationError, host: str, environ: Mapping[str, str]) -> CzscieError:
    """The error for an untrusted certificate of `host`."""
    what = f"the certificate of {host} is not trusted"
    expired = error.verify_code == 10  # X509_V_ERR_CERT_HAS_EXPIRED
    if expired or "match" in error.verify_message.lower():
        hint = "ask its operator for a certificate that is valid for this name and date"
    elif named := environ.get(FILE):
        hint = f"add the authority that signed it to {named}, which {FILE} names"
    else:
        hint = f"set {FILE} to a file with your certificate authorities"
    return CzscieError(what, code=Code.TLS_REFUSED, why=error.verify_message, hint=hint)


def _named(file: str | None, directory: str | None) -> ssl.SSLContext:
    for variable, path in ((FILE, file), (DIRECTORY, directory)):
        if path is not None and not Path(path).exists():
            raise CzscieError(
                f"{variable} is {path!r}, which does not exist",
                code=Code.NETWORK_SETTING,
                hint=f"correct or unset {variable}",
            )
    try:
        return ssl.create_default_context(cafile=file, capath=directory)
    except OSError as error:
        why = error.strerror if not isinstance(error, ssl.SSLError) else "it contains no PEM certificate"
        raise CzscieError(
            f"{FILE} is {file!r}, which cannot be used", code=Code.NETWORK_SETTING, why=why or str(error)
        ) from error


def _bundle() -> str | None:
    """The file of authorities to read; None for OpenSSL's own default, which is a file or a directory."""
    default = ssl.get_default_verify_paths()
    if default.cafile or (default.capath and any(Path(default.capath).iterdir())):
        return None
    found = next((bundle for bundle in _BUNDLES if Path(bundle).is_file()), None)
    if found is None:
        import certifi

        return certifi.where()
    return found
