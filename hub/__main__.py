"""`python -m hub` is `simulcast`."""

from hub.cli import main

main()
