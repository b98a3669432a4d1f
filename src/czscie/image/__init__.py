"""Container images: layers, configuration, manifest, index, and the archive that engines load."""
