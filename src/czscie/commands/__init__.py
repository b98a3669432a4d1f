"""The commands, one a module, thin: parse, call, print. What a command needs it imports when it runs."""
