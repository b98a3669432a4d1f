"""Everything that a build of one lift needs, as a directory to carry where there is no network."""
