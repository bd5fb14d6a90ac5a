"""The command line: a file holds the commands of its name, a job of that name does their work."""

from tastemap.cli.program import app as app
from tastemap.cli.program import main as main
