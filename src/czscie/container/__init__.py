"""What the launcher reads: a zip of zstd entries, small files grouped, and a plan that says where they go.

docs/format.md is the specification; this package is its only writer in Python.
"""
