"""Build provenance of python-build-standalone's archives (GitHub's attestations, Sigstore)."""
