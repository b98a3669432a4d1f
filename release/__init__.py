"""Makes the files of a release of czscie: `python -m release`."""
