"""`python -m acmx`."""

from acmx.cli.main import main

main()
