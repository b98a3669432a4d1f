"""Access to remote files: files pinned by a digest, and indexes that name them."""
