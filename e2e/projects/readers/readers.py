"""An application with a distribution that reads the modules of others."""
