"""What each error code means: pages that `czscie explain` prints and the documentation shows."""
