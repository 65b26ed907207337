"""A clone-like copy of the project, and what Snakemake says of it."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
PARTS: tuple[str, ...]
PARTS = ("Snakefile", "workflow", "profiles", "local", "slurm", "params.yaml", "datasets.yaml", "weights.yaml", "papers")
PARTS += ("src", "suites", "dvc.yaml", ".dvcignore", ".gitignore", "results/README.md", "reports/README.md")
PARTS += (
    "tools/mark_current.py",
    "Makefile",
    "pyproject.toml",
    "requirements.txt",
    "requirements-torch.txt",
    "requirements-cuda.txt",
)


@dataclass(frozen=True)
class Project:
    """A folder with the project in it."""

    folder: Path

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a program of this environment in the folder; one thread, whatever the machine."""
        environment = self.environment(**variables)
        return subprocess.run(command, cwd=self.folder, env=environment, text=True, capture_output=True, check=False)

    def start(self, *command: str, output: IO[str], **variables: str) -> subprocess.Popen[str]:
        """The same, without waiting for its end."""
        environment = self.environment(**variables)
        return subprocess.Popen(command, cwd=self.folder, env=environment, text=True, stdout=output, stderr=output)

    def environment(self, **variables: str) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("REPROID_", "SNAKEMAKE_"))}
        environment |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"}
        return environment | {"PYTHONPATH": str(self.folder / "src"), **variables}  # the copy's own code, which a test may change

    def snakemake(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return self.run("snakemake", "--profile", "local", *arguments, **variables)

    def planned_jobs(self, *arguments: str) -> dict[str, int]:
        """Return how many jobs of each rule a run would start now."""
        done = self.snakemake("--dry-run", *arguments)
        assert done.returncode == 0, done.stderr
        table = done.stdout.partition("job ")[2].partition("\ntotal")[0]
        return {rule: int(count) for rule, count in re.findall(r"^(\w+)\s+(\d+)$", table, flags=re.MULTILINE)}

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.folder / path).read_text()
        assert old in text, f"{old!r} is not in {path}"
        (self.folder / path).write_text(text.replace(old, new, 1))


def copy_project(folder: Path, suite: str) -> Project:
    for part in PARTS:
        source, target = ROOT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    project = Project(folder)
    project.edit("params.yaml", "suite: demo", f"suite: {suite}")
    return project
