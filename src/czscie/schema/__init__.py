"""The schema of lift manifests, for editors: JSON Schema, derived from the code that reads them."""
