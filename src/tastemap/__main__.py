"""``python -m tastemap``: the command line."""

from tastemap.cli import main

main()
