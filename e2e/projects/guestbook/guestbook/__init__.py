"""A Django application that finds its own templates by `__file__`, as the generated settings of Django do."""
