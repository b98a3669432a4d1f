"""The inputs of executables, a module for each kind."""
