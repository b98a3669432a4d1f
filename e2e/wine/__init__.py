"""Windows executables on Linux, by Debian's wine: a prefix, and a CPython for Windows from Maven Central.

wine and Maven are programs of the host, which check.py installs. What is made with them is kept in the cache.
"""
