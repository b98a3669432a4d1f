import unittest


class Two(unittest.TestCase):
    def test_passes(self):
        """Here."""
