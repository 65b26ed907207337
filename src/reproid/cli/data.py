"""`reproid data`: render synthetic sets, and index data sets in official layouts."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reproid.cli._declared import find_declared, find_folder, rendered_counts
from reproid.cli.data_check import check
from reproid.cli.data_get import get
from reproid.cli.data_pack import pack

if TYPE_CHECKING:
    from reproid.catalog.datasets import SyntheticDataSet
    from reproid.catalog.synthetic import SyntheticSpec

_PATH = click.Path(path_type=Path)


@click.group()
def data() -> None:
    """Data sets: render synthetic ones, index those in official layouts, pack them into a few large files.

    \b
    Examples:
      reproid data synth --out data/synthetic/mine
      reproid data index --dataset mine --layout mars --root data/synthetic/mine --out results/index/mine
      reproid data get --dataset ilids-vid
      reproid data check --dataset mars --root data/raw/mars
      reproid data pack --root data/raw/mars --out data/packed/mars
    """  # noqa: D301


data.add_command(pack)
data.add_command(check)
data.add_command(get)


def _show_parameters(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    from reproid.catalog.synthetic import SyntheticSpec

    if wanted:
        for name, field in SyntheticSpec.model_fields.items():
            click.echo(f"{name}: {_yaml_value(field.default)}\n    {field.description}")
        context.exit()


@data.command()
@click.option(
    "--out", type=_PATH, help="Folder of the set: new, empty, or of an earlier call.  [default: data/synthetic/DATASET/<digest>]"
)
@click.option("--dataset", help="Render what datasets.yaml declares under this name.")
@click.option("--spec", type=_PATH, help="YAML file of the set's parameters.")
@click.option("--layout", help="Official layout to write.  [default: as declared, or mars]")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Set one parameter; repeat for more.")
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, 256), help="Processes; the bytes do not depend on it."
)
@click.option(
    "--parameters", is_flag=True, is_eager=True, expose_value=False, callback=_show_parameters, help="List them, and stop."
)
def synth(
    out: Path | None, dataset: str | None, spec: Path | None, layout: str | None, overrides: tuple[str, ...], workers: int
) -> None:
    """Render walking people with known identity in an official layout.

    8 to 2000 persons, seen by 2 to 15 cameras, in the layout mars, ls-vid, ilids-vid, prid-2011 or dukemtmc-videoreid; with truth
    on, joints, masks, motion, occlusion and attributes beside the images. --parameters lists what can be set.

    Equal parameters give equal bytes. A complete set is left alone, an interrupted one is started over. Beside the set lie
    sheet.png, a contact sheet, and person.gif, its first person in all cameras.

    \b
    Examples:
      reproid data synth --dataset demo-mars --workers 2
      reproid data synth --set train_persons=8 --set test_persons=8 --set height=64 --set width=32 --out data/synthetic/tiny
      reproid data synth --spec my-set.yaml --layout mars --workers 4 --out data/synthetic/my-set
      reproid data synth --set train_persons=1000 --set test_persons=1000 --set cameras=15 --layout ls-vid --out data/big
      reproid data synth --set truth=true --out data/synthetic/with-truth
      reproid data synth --parameters
    """  # noqa: D301
    from reproid.errors import InputError
    from reproid.synthetic.render import render_dataset
    from reproid.synthetic.sheet import write_pictures

    if dataset is not None:
        if spec is not None or overrides or layout is not None:
            raise InputError(
                "--dataset takes no --spec, --set or --layout: datasets.yaml declares them", fix="Leave out one or the other"
            )
        declared = _declared_synthetic(dataset)
        parameters, layout = declared.spec, declared.layout
        out = out or find_folder(dataset, declared)
    elif out is None:
        raise InputError("no folder given", where="--out", fix="Give --out, or --dataset with a name of datasets.yaml")
    else:
        parameters = _read_spec(spec, overrides)
    rendered = render_dataset(parameters, out, layout=layout or "mars", workers=workers, progress=True)
    write_pictures(rendered.folder)
    frames, tracklets = (rendered.counts[f"train_{k}"] + rendered.counts[f"test_{k}"] for k in ("frames", "tracklets"))
    state = "rendered" if rendered.fresh else "there already"
    click.echo(f"{rendered.folder}: {state}; {tracklets:,} tracklets, {frames:,} frames, digest {rendered.digest[:12]}")


@data.command()
@click.option(
    "--dataset", required=True, help="Name of the data set in the index; what datasets.yaml declares under it is asserted."
)
@click.option("--root", type=_PATH, help="Folder of the data.  [default: data/synthetic/DATASET, data/raw/DATASET]")
@click.option("--out", type=_PATH, help="Folder of the index.  [default: results/index/DATASET/<digest>]")
@click.option("--layout", help="Official layout of the data.  [default: as declared]")
@click.option("--count", "counts", multiple=True, metavar="NAME=N", help="A count to assert, such as train_persons=625.")
def index(dataset: str, root: Path | None, out: Path | None, layout: str | None, counts: tuple[str, ...]) -> None:
    """Read a data set in an official layout and write its tracklet index (two Parquet files).

    Files are checked first, then counts: those declared in datasets.yaml, or those that a rendered set states itself. With
    --root, --layout and --out, nothing needs to be declared.

    \b
    Examples:
      reproid data index --dataset mars
      reproid data index --dataset mine --layout mars --root data/synthetic/mine --out results/index/mine
    """  # noqa: D301
    from reproid.catalog.datasets import index_of
    from reproid.catalog.project import project_root
    from reproid.datasets.index import write_index
    from reproid.datasets.layouts import build_index

    expected: dict[str, int] = {}
    if layout is None or root is None or out is None:
        declared = find_declared(dataset)
        layout, expected = layout or declared.layout, getattr(declared, "counts", {})
        root = root or find_folder(dataset, declared)
        out = out or index_of(dataset, declared, project_root())
    built = build_index(dataset, root, layout=layout, expected={**expected, **rendered_counts(root), **_read_counts(counts)})
    write_index(built, out)
    click.echo(f"{out}: {len(built.records):,} tracklets, splits: {', '.join(built.splits)}")


@data.command()
@click.option("--root", required=True, type=_PATH, help="Folder of a rendered set.")
@click.option(
    "--out", required=True, type=_PATH, help="File to write: .png or .jpg for a sheet of persons x cameras, .gif for one person."
)
@click.option("--pid", "pids", multiple=True, type=int, help="Person to show; repeat for more.  [default: the first ones]")
@click.option("--persons", default=8, show_default=True, type=click.IntRange(1, 200), help="Rows of a sheet without --pid.")
@click.option("--frames", type=click.IntRange(1, 200), help="Images per camera of a sheet [default: 2], of a GIF [default: 24].")
@click.option("--truth", is_flag=True, help="Show joints, masks and motion; for sets rendered with truth.")
def sheet(root: Path, out: Path, pids: tuple[int, ...], persons: int, frames: int | None, truth: bool) -> None:
    """Draw a contact sheet of a rendered set, a GIF of one person across the cameras, or a picture of the truth.

    \b
    Examples:
      reproid data sheet --root data/synthetic/mine --out sheet.png
      reproid data sheet --root data/synthetic/mine --pid 3 --out person-3.gif
      reproid data sheet --root data/synthetic/mine --truth --out truth.png
    """  # noqa: D301
    from reproid.errors import InputError
    from reproid.synthetic.sheet import write_gif, write_sheet
    from reproid.synthetic.truth_sheet import write_truth_sheet

    picture = out.suffix in (".png", ".jpg")
    if truth and picture:
        write_truth_sheet(root, out)
    elif picture:
        write_sheet(root, out, persons=pids or persons, frames=frames or 2)
    elif out.suffix == ".gif" and not truth:
        write_gif(root, out, pid=(pids or (1,))[0], frames=frames or 24)
    else:
        raise InputError(
            "unknown kind of picture", where="--out", expected="a name in .png or .jpg, or .gif without --truth", got=f"'{out}'"
        )
    click.echo(out)


def _declared_synthetic(dataset: str) -> "SyntheticDataSet":
    from reproid.errors import InputError

    declared = find_declared(dataset)
    if declared.source != "synthetic":
        raise InputError(f"'{dataset}' is not a synthetic data set", where="--dataset", fix="It is obtained from its authors")
    return declared


def _yaml_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return str(value).lower() if isinstance(value, bool) else value


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
    if path:
        validate(values, SyntheticSpec, where=path)
    for key, text in _pairs(overrides, "--set").items():
        try:
            values[key] = YAML(typ="safe", pure=True).load(text)
        except YAMLError as error:
            raise InputError("not a YAML value", where=f"--set {key}", got=f"'{text}'") from error
    return validate(values, SyntheticSpec, where="--set")


def _read_counts(counts: tuple[str, ...]) -> dict[str, int]:
    from reproid.errors import InputError

    pairs = _pairs(counts, "--count")
    for name, number in pairs.items():
        if not number.isdigit():
            raise InputError("not a count", where=f"--count {name}", expected="a whole number", got=f"'{number}'")
    return {name: int(number) for name, number in pairs.items()}
