"""An application that needs what many do."""
