"""Real executables in real environments: every test builds with `czscie build` and runs what it wrote."""
