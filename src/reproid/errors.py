"""The one error that a user may see: what is wrong, where, what was expected, what was found, and what to do."""


class InputError(ValueError):
    """A mistake in what the user gave: a file, an option, a name. The command line prints it alone and exits with code 2.

    Args:
        what: what is wrong, as a sentence without its full stop.
        where: the file, row or option it was found in.
        expected: what would have been right.
        got: what was found.
        fix: what to do, as a sentence without its full stop.
    """

    def __init__(
        self,
        what: str,
        *,
        where: object | None = None,
        expected: object | None = None,
        got: object | None = None,
        fix: str | None = None,
    ) -> None:
        text = f"{where}: {what}" if where is not None else what
        details = [f"expected {expected}"] if expected is not None else []
        details += [f"got {got}"] if got is not None else []
        if details:
            text += "; " + ", ".join(details)
        if fix is not None:
            text += f". {fix}"
        text = " ".join(text.split())
        super().__init__(text if text.endswith(("?", ".")) else text + ".")


def unknown_name(kind: str, name: str, known: list[str], *, where: object | None = None, fix: str | None = None) -> InputError:
    """Return the error for a name that is not among ``known``; the nearest known one is suggested."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"Did you mean '{near[0]}'?" if near else fix
    choices = ", ".join(sorted(known)) or "nothing (none is declared)"
    return InputError(f"unknown {kind}", where=where, expected=f"one of: {choices}", got=f"'{name}'", fix=hint)
