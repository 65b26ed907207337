"""`reproid data`: render synthetic sets, and index data sets in official layouts."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from reproid.catalog.synthetic import SyntheticSpec


@click.group()
def data() -> None:
    """Data sets: render synthetic ones, index those in official layouts.

    \b
    Examples:
      reproid data synth --out data/raw/synthetic-demo
      reproid data index --dataset synthetic-demo --root data/raw/synthetic-demo --out results/index/synthetic-demo
    """  # noqa: D301


@data.command()
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder of the set: new, empty, or of an earlier call."
)
@click.option("--spec", type=click.Path(path_type=Path), help="YAML file of the set's parameters.")
@click.option("--layout", default="mars", show_default=True, help="Official layout to write.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Set one parameter; repeat for more.")
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, 256), help="Processes; the bytes do not depend on it."
)
@click.option("--parameters", is_flag=True, is_eager=True, expose_value=False, callback=lambda c, p, v: _show_parameters(c, v),
              help="List all parameters with their defaults, and stop.")  # fmt: skip
def synth(out: Path, spec: Path | None, layout: str, overrides: tuple[str, ...], workers: int) -> None:
    """Render walking people with known identity in an official layout.

    Equal parameters give equal bytes. A complete set is left alone, an interrupted one is started over.

    \b
    Examples:
      reproid data synth --out data/raw/demo
      reproid data synth --set train_persons=8 --set test_persons=8 --set height=64 --set width=32 --out data/raw/tiny
      reproid data synth --spec my-set.yaml --workers 4 --out data/raw/my-set
      reproid data synth --parameters --out -
    """  # noqa: D301
    from reproid.synthetic.render import render_dataset

    rendered = render_dataset(_read_spec(spec, overrides), out, layout=layout, workers=workers, progress=True)
    state = "rendered" if rendered.fresh else "there already"
    counts = rendered.counts
    frames, tracklets = (counts[f"train_{k}"] + counts[f"test_{k}"] for k in ("frames", "tracklets"))
    click.echo(f"{rendered.folder}: {state}; {tracklets:,} tracklets, {frames:,} frames, digest {rendered.digest[:12]}")


@data.command()
@click.option("--dataset", required=True, help="Name of the data set in the index.")
@click.option("--root", required=True, type=click.Path(path_type=Path), help="Folder of the data.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the index, results/index/NAME.")
@click.option("--layout", default="mars", show_default=True, help="Official layout of the data.")
@click.option("--count", "counts", multiple=True, metavar="NAME=N", help="A count to assert, such as train_persons=625.")
def index(dataset: str, root: Path, out: Path, layout: str, counts: tuple[str, ...]) -> None:
    """Read a data set in an official layout and write its tracklet index (two Parquet files).

    Files are checked first, then counts. A rendered set is checked against its own synthetic.json.

    \b
    Examples:
      reproid data index --dataset demo --root data/raw/demo --out results/index/demo
      reproid data index --dataset mars --root data/raw/mars --count train_persons=625 --out results/index/mars
    """  # noqa: D301
    from reproid.datasets.index import write_index
    from reproid.datasets.layouts import build_index

    expected = {**_rendered_counts(root), **_read_counts(counts)}
    built = build_index(dataset, root, layout=layout, expected=expected)
    write_index(built, out)
    click.echo(f"{out}: {len(built.records):,} tracklets, splits: {', '.join(built.splits)}")


def _show_parameters(context: click.Context, wanted: bool) -> None:
    from reproid.catalog.synthetic import SyntheticSpec

    if wanted:
        for name, field in SyntheticSpec.model_fields.items():
            click.echo(f"{name}: {_yaml_value(field.default)}\n    {field.description}")
        context.exit()


def _yaml_value(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else str(value).lower() if isinstance(value, bool) else value


def _pairs(texts: tuple[str, ...], option: str) -> dict[str, str]:
    from reproid.errors import InputError

    pairs = [text.partition("=") for text in texts]
    for text, (key, equals, value) in zip(texts, pairs, strict=True):
        if not (key and equals and value):
            raise InputError("not a pair", where=option, expected="KEY=VALUE", got=f"'{text}'")
    return {key: value for key, _, value in pairs}


def _read_spec(path: Path | None, overrides: tuple[str, ...]) -> "SyntheticSpec":
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    from reproid.catalog._yaml import read_yaml, validate
    from reproid.catalog.synthetic import SyntheticSpec
    from reproid.errors import InputError

    values = (read_yaml(path) if path else None) or {}
    if overrides:
        validate(values, SyntheticSpec, where=path or "--set")
    for key, text in _pairs(overrides, "--set").items():
        try:
            values[key] = YAML(typ="safe", pure=True).load(text)
        except YAMLError as error:
            raise InputError("not a YAML value", where=f"--set {key}", got=f"'{text}'") from error
    return validate(values, SyntheticSpec, where="--set" if overrides else path)


def _read_counts(counts: tuple[str, ...]) -> dict[str, int]:
    from reproid.datasets.index import COUNT_NAMES
    from reproid.errors import InputError, unknown_name

    pairs = _pairs(counts, "--count")
    for name, number in pairs.items():
        if name not in COUNT_NAMES:
            raise unknown_name("count", name, list(COUNT_NAMES), where="--count")
        if not number.isdigit():
            raise InputError("not a count", where=f"--count {name}", expected="a whole number", got=f"'{number}'")
    return {name: int(number) for name, number in pairs.items()}


def _rendered_counts(root: Path) -> dict[str, int]:
    """Return the counts that a rendered set declares; refuse a set whose rendering was interrupted."""
    from reproid.errors import InputError
    from reproid.files import read_json
    from reproid.synthetic import COMPLETE, PARTIAL

    if (root / PARTIAL).exists():
        raise InputError("the synthetic set is not complete", where=root, fix="Run again: reproid data synth")
    counts: dict[str, int] = read_json(root / COMPLETE)["counts"] if (root / COMPLETE).exists() else {}
    return counts
