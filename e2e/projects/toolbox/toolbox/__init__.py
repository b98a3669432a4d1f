"""A project with everything a wheel can carry: console scripts, `.data` scripts and files, data, an extra."""
