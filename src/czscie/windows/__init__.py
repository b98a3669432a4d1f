"""The appearance and the start of an executable on Windows: resources of its launcher."""
