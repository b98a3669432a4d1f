"""The inputs of a lift as a directory, for builds without a network."""
