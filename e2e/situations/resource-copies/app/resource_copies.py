from project_template import main

__all__ = ["main"]
