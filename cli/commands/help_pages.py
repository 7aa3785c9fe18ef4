"""How a help page is set."""

from __future__ import annotations

import sys
from typing import Any

import click

from ..output.console import columns

SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"]}
NARROWEST, WIDEST = 50, 100


class PageContext(click.Context):
    """A command being read, whose help page is as wide as the terminal, within limits.

    click would ask `shutil`, whose loading takes as long as writing the page.
    """

    def make_formatter(self) -> click.HelpFormatter:
        """Return what sets the page."""
        return click.HelpFormatter(width=max(min(columns(sys.stdout), WIDEST) - 2, NARROWEST))
