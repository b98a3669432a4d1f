import sys

sys.path_configuration += 10
