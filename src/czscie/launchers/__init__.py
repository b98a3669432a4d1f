"""The built launchers, one file per platform, put here by the build hook; `native` finds or compiles them."""
