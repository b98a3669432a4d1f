"""Everything that czscie reads from elsewhere: files pinned by a digest, and indexes that name them."""
