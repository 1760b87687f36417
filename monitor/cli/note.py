"""`nearmiss note`: one word at the prompt about something odd."""

from __future__ import annotations

import click

from monitor.cli.telling import TellingOptions, doubted, event_of, say, tell, telling_options
from monitor.ops.clock import SystemClock

_TITLE = 200
_TEXT = 4000


@click.command(short_help="Send a note that something is odd.")
@click.argument("words", metavar="TEXT...", nargs=-1, required=True)
@telling_options
def command(words: tuple[str, ...], told: TellingOptions) -> None:
    """Send a note, such as `nearmiss note "odd: the queue is stuck" --service payments`.

    A service name that looks misspelt is refused; --anyway accepts it. If the monitor is down, the note is
    stored on this machine and sent with the next one.
    """
    text = " ".join(words).strip()
    if not text:
        raise click.UsageError('expected a few words; try `nearmiss note "odd: the queue is stuck"`')
    first = text.partition("\n")[0]
    labels = {"text": text[:_TEXT]} if text != first or len(text) > _TITLE else {}
    event = event_of(told, "note.added", SystemClock().now(), first[:_TITLE], labels)
    doubt, told = doubted(told, event)
    if doubt is not None and doubt.nearest is not None:
        raise click.UsageError(
            f"{doubt} Nothing was sent; try `--service {doubt.nearest}`, or `--anyway` if it is called so"
        )
    if doubt is not None:
        say(str(doubt))
    if tell(told, event):
        click.echo("nearmiss: noted", err=True)
