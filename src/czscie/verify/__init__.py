"""Whether an executable is what was built: by its own digests, by a lock, and by building it again."""
