"""``python -m reproid``."""

from reproid.cli import main

main()
