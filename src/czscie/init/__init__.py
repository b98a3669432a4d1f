"""A first lift manifest, derived from existing files."""
