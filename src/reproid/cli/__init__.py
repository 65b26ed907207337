"""The command line: one sub-command per step, each loaded only when it is called, so that `reproid --help` is instant."""

import importlib
import sys
import warnings
from contextlib import suppress

import click

from reproid import __version__
from reproid.errors import InputError

# name -> module that holds a click command of the same name (dashes as underscores)
COMMANDS: dict[str, str] = {
    "catalog": "reproid.cli.catalog",
    "data": "reproid.cli.data",
    "gop": "reproid.cli.gop",
    "media": "reproid.cli.media",
    "train": "reproid.cli.train",
    "retest": "reproid.cli.retest",
    "embed": "reproid.cli.embed",
    "rank": "reproid.cli.rank",
    "evaluate": "reproid.cli.evaluate",
    "cost": "reproid.cli.cost",
    "aggregate": "reproid.cli.aggregate",
    "compare": "reproid.cli.compare",
    "table": "reproid.cli.report",
    "summary": "reproid.cli.report",
    "report": "reproid.cli.report",
    "plan": "reproid.cli.plan",
    "status": "reproid.cli.status",
    "verify": "reproid.cli.verify",
    "prune": "reproid.cli.verify",
    "push": "reproid.cli.push",
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(COMMANDS[cmd_name]), cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command


@click.command(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="reproid")
def cli() -> None:
    """Re-run the papers of video person re-identification.

    \b
    Examples:
      make demo                          the embedded demo, end to end
      reproid data synth --help          render a synthetic data set
      reproid evaluate --help            score embeddings under a named protocol
    """  # noqa: D301


def main() -> None:
    """Run the command line. A user's mistake prints one line on stderr and ends with exit code 2; no traceback."""
    warnings.formatwarning = _one_line
    try:
        cli.main(prog_name="reproid", standalone_mode=False)
    except InputError as error:
        _say(f"reproid: error: {error}")
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _say("reproid: interrupted")
        sys.exit(130)


def _one_line(message: Warning | str, *_: object, **__: object) -> str:
    return f"reproid: warning: {message}\n"


def _say(text: str) -> None:
    with suppress(OSError):  # the log's disk may be full: the exit code still tells
        click.echo(text, err=True)
