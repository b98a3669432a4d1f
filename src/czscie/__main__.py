"""`python -m czscie`."""

from czscie.cli import main

if __name__ == "__main__":
    main()
