"""Whether python-build-standalone's own workflow built an archive: GitHub's build provenance (Sigstore)."""
