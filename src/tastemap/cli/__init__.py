"""The command line: one command a verb. Each parses, makes one library call, and prints."""

# A module registers its commands where it is imported: in this order the help lists them.
from tastemap.cli import data, learn, choose, ask, show, serving  # noqa: F401, I001
from tastemap.cli.program import app as app
from tastemap.cli.program import main as main
