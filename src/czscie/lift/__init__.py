"""The lift manifest, parsed and validated."""
