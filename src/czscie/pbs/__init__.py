"""Providers of interpreters: python-build-standalone's releases, this host's CPython, or a local one."""
