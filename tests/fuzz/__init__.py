"""A fuzzer for everything that czscie reads from elsewhere: `python -m tests.fuzz SECONDS [TARGET …]`.

Valid files are taken apart, changed in their structure and put together with digests, lengths and checksums
that are true again, so that a change gets behind the first check. The corpus (corpus/<target>/) holds the
valid files (`python -m tests.fuzz.seeds` makes them) and every input that once failed.

A reader may answer with what it read or with CzscieError. Anything else is a failure: another exception, a
file written elsewhere, a process, more memory than `running.MEMORY`, more time than `running.PATIENCE`.
"""
