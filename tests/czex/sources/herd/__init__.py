NAME = "herd"
