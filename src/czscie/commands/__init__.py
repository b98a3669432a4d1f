"""The commands, one per module, thin: parse, call, print. Each imports what it needs when it runs."""
