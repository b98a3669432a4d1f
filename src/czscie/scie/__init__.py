"""A scie: its assembly from parts, and its inspection."""
