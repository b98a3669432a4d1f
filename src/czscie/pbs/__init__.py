"""Where interpreters come from: python-build-standalone's releases, this host's CPython, or a local one."""
