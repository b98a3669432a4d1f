"""Sources that join a PEX as they are, without a wheel (`pex --sources-directory`)."""
