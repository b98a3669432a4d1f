NAME = "from a directory"
