"""What goes into the executables of a lift with a lock: a module for each kind of input."""
