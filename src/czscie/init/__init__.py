"""A first lift manifest: written from what is there already."""
