"""Us, the peers and the limit, side by side in one run. `bench.__main__` says how to use it."""
