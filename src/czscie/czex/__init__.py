"""The payload: a PEX read, its wheels resolved for one target, a CZEX written."""
