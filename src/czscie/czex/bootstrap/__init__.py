"""Code that runs in the shipped application's Python before the application. Depends on nothing."""
