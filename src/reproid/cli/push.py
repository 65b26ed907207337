"""`reproid push`: results to a DVC remote, but nothing restricted goes where it may be read by others."""

import click


@click.command()
@click.option("--remote", metavar="NAME", help="DVC remote.  [default: DVC's own]")
@click.option("--check", is_flag=True, help="Only say whether it may be pushed.")
def push(remote: str | None, *, check: bool) -> None:
    """Push what DVC tracks. Files of restricted data sets go to remotes alone that .dvc/private-remotes names.

    Plain `dvc push` sends nothing of this project: every output of dvc.yaml says `push: false`. What is restricted is every real
    data set of datasets.yaml that does not say `restricted: false`.

    \b
    Examples:
      reproid push
      reproid push --remote lab --check
    """  # noqa: D301
    from reproid.catalog._yaml import load_yaml
    from reproid.catalog.datasets import DataSets
    from reproid.catalog.project import project_root
    from reproid.sharing import check_push, restricted_names
    from reproid.tracked import open_tracked

    root = project_root()
    name, address = _find_remote(remote)
    restricted = restricted_names(load_yaml(root / "datasets.yaml", DataSets).datasets)
    with open_tracked(root, name) as tracked:
        check_push(root, tracked.files(), (name, address), restricted)
        click.echo(f"remote {name} ({address}): may be pushed to")
        if not check:
            click.echo(f"{tracked.push():,} files pushed")


def _find_remote(name: str | None) -> tuple[str, str]:
    """Return a DVC remote's name and address; without a name, those of the default one."""
    import subprocess
    import sys

    from reproid.catalog.project import project_root
    from reproid.errors import InputError, unknown_name

    command = [sys.executable, "-m", "dvc", "config", "--list"]
    said = subprocess.run(command, cwd=project_root(), text=True, capture_output=True, check=False)
    if said.returncode:
        raise InputError("not a DVC project", where=project_root(), got=said.stderr, fix="Run: dvc init")
    values = dict(line.partition("=")[::2] for line in said.stdout.splitlines())
    remotes = {key.removeprefix("remote.").removesuffix(".url"): url for key, url in values.items() if key.endswith(".url")}
    name = name or values.get("core.remote")
    if name is None:
        raise InputError("no DVC remote", where="--remote", fix="Run: dvc remote add --default NAME ADDRESS")
    if name not in remotes:
        raise unknown_name("DVC remote", name, sorted(remotes), where="--remote")
    return name, remotes[name]
