"""`python -m amtrio`."""

from amtrio.cli.main import main

main()
