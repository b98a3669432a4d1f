"""`lift.lock`: what exactly a lift is made of, a hash for each of its inputs."""
