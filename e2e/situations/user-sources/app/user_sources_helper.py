import user_sources

HELPED = user_sources.__name__
