"""Verification of an executable: by its own digests, by a lock, and by a rebuild."""
