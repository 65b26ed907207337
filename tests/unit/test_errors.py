import pytest

from reproid.errors import InputError, unknown_name


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "no query."),
        ({"where": "a.npz"}, "a.npz: no query."),
        ({"expected": 3, "got": 2}, "no query; expected 3, got 2."),
        ({"where": "a", "expected": 0, "fix": "Add one"}, "a: no query; expected 0. Add one."),
        ({"fix": "Did you mean 'b'?"}, "no query. Did you mean 'b'?"),
        ({"where": "two\nlines"}, "two lines: no query."),
    ],
    ids=["bare", "where", "expected-got", "all", "question", "one-line"],
)
def test_input_error_parts_given_one_line(arguments: dict, text: str) -> None:
    assert str(InputError("no query", **arguments)) == text


def test_unknown_name_near_one_suggests_it() -> None:
    error = unknown_name("protocol", "mars-standart", ["mars-standard", "duke-standard"])
    assert (
        str(error)
        == "unknown protocol; expected one of: duke-standard, mars-standard, got 'mars-standart'. Did you mean 'mars-standard'?"
    )


def test_unknown_name_nothing_near_says_what_to_do() -> None:
    assert str(unknown_name("key", "zzz", ["a"], fix="Remove it")).endswith("got 'zzz'. Remove it.")
