"""The parts put into one file, and one file taken apart again."""
