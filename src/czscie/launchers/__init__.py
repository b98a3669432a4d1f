"""The built launchers, one file per platform. The build hook writes them here."""
