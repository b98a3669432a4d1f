#!/usr/bin/env python3
# /// script
# requires-python = ">=3.9"
# dependencies = ["moo>=1 ; sys_platform == 'linux'"]
# ///
"""A script."""

print("moo")
