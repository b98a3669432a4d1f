"""The software bill of materials: the components of an executable, as CycloneDX 1.6."""
