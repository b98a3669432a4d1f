"""The software bill of materials: what an executable is made of, as CycloneDX 1.6."""
