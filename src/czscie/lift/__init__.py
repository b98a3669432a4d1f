"""What to build: the lift manifest, parsed and validated."""
