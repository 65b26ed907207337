"""The style sheet: contrast of text in light and dark (WCAG 2, level AA), no colour outside the variables."""

import re

import pytest

from reproid.report.render import asset
from reproid.report.status import Status

CSS = asset("report.css")
BLOCKS = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)]
LIGHT, DARK = BLOCKS[0], BLOCKS[0] | BLOCKS[1]
TONES = sorted({status.tone for status in Status} - {"quiet"})
PAIRS = [
    *((text, back) for text in ("ink", "muted", "link") for back in ("paper", "panel")),
    *(("muted", "bad-back"), ("ink", "bad-back"), ("link", "bad-back"), ("ink", "aside-back")),
    *((tone, f"{tone}-back") for tone in TONES),
]


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "back"), PAIRS)
def test_text_stands_out_from_its_background(colours: dict[str, str], text: str, back: str) -> None:
    assert contrast(colours[text], colours[back]) >= 4.5


def test_lines_of_charts_stand_out() -> None:
    assert all(contrast(colours[f"shade-{n}"], colours["paper"]) >= 3 for colours in (LIGHT, DARK) for n in range(1, 5))


def test_dark_changes_every_colour() -> None:
    assert set(BLOCKS[0]) == set(BLOCKS[1])


def test_every_tone_has_a_style_and_rules_use_variables_alone() -> None:
    assert all(f".word.{tone} {{" in CSS for tone in TONES)
    rules = re.sub(r":root \{.*?\}", "", CSS, flags=re.DOTALL)
    assert not re.search(r"#[0-9a-f]{3,6}\b", rules)
