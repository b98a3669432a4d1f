"""The files that the launcher reads: a zip of zstd entries, small files grouped, and a plan with their paths.

docs/reference/format.md is the specification; this package is its only writer in Python.
"""
