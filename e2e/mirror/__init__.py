"""A mirror of python-build-standalone (PBS) releases, made of real CPythons.

Names, tags, tree and checksums are PBS's, so czscie cannot tell the mirror from the real thing; the compiled
parts are Debian's packages, the standard library is the upstream tarball of Debian's source packages. Nothing
of the host is changed and nothing is installed: apt works in a root of its own.

    python -m e2e.mirror OUT

    OUT/latest-release.json
    OUT/<tag>/SHA256SUMS
    OUT/<tag>/cpython-<version>+<tag>-<triple>-install_only_stripped.tar.gz

What differs from a real PBS archive, so that no test relies on it:

* Extension modules are shared objects in lib-dynload and the libraries they need lie in `lib`, found by an
  `$ORIGIN` rpath. PBS links nearly all of them into `bin/python3.X`.
* The glibc they need is 2.36 (PBS: 2.17), GNU readline stands where PBS has libedit, OpenSSL's default paths
  are Debian's. Test data only: not for shipping.
* No Tcl/Tk, no manual pages, no idle, pydoc or 2to3 scripts, no pkg-config files, no `libpython3.so`.
* `getpath` lacks PBS's patches: an interpreter started with a wrong `argv[0]` does not find its prefix.
"""
