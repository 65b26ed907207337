"""Numbers and links as readers see them."""

import pytest

from reproid.errors import InputError
from reproid.report.text import as_text, number, page_name, signed, web_link


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [(81.04, 1, "81.0"), (-0.04, 1, "0.0"), (-0.7, 1, "−0.7"), (509914, 0, "509\u202f914"), (94, 0, "94")],
)
def test_number_is_rounded_with_a_true_minus(value: float, decimals: int, expected: str) -> None:
    assert number(value, decimals) == expected


@pytest.mark.parametrize(("value", "expected"), [(0.4, "+0.4"), (-0.4, "−0.4"), (0.04, "0.0"), (0.0, "0.0")])
def test_signed_shows_the_sign_of_what_is_shown(value: float, expected: str) -> None:
    assert signed(value) == expected


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("https://example.org/a", "https://example.org/a"),
        ("arXiv:2501.16811", "https://arxiv.org/abs/2501.16811"),
        ("doi:10.1109/TCSVT.2023.1", "https://doi.org/10.1109/TCSVT.2023.1"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("http://example.org", None),
        ("none", None),
        (None, None),
    ],
)
def test_web_link_allows_https_alone(link: str | None, expected: str | None) -> None:
    assert web_link(link) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(None, "none"), (True, "yes"), ((3, 4), "3, 4"), ((), "none"), ({}, "none"), ({"a": 1.5}, "a: 1.5")]
)
def test_as_text_uses_words(value: object, expected: str) -> None:
    assert as_text(value) == expected


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "a b", "<x>"])
def test_page_name_of_a_strange_name_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="the name of a data set cannot name a page"):
        page_name("data set", name)
