"""`lift.lock`: the exact inputs of a lift, each with its hash."""
