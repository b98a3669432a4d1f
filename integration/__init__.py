"""The launcher, compilers, pex and other Pythons started for real, on parts that are small or fakes."""
