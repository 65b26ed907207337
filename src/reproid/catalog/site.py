"""What differs between clusters: the file slurm/site.yaml, which Git ignores (slurm/site.example.yaml shows it)."""

import re
import shlex
from pathlib import Path
from typing import Annotated

from pydantic import Field, PositiveInt, field_validator

from reproid.catalog._yaml import Strict, load_yaml

_OWN = re.compile(r"--(account|partition|qos|constraint|gres|gpus|mem|time|signal)\b|-([ApCt])\b")
"""Options of sbatch that other keys, or the rules' resources, set."""

Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.+/-]+$")]


class Site(Strict):
    """One cluster. Every key may be left out; the cluster's own default then holds."""

    account: str | None = None
    """SLURM account that is charged."""
    partition: str | None = None
    """Partition of jobs without a GPU."""
    gpu_partition: str | None = None
    """Partition of jobs with one."""
    gpu_type: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.]+$")] | None = None
    """As the cluster names it in its gres: a100, h100; null: any."""
    gpus_per_run: PositiveInt = 1
    """GPUs of one node that a training shares, each with its part of every batch; CPUs and memory grow with them."""
    qos: str | None = None
    """Quality of service."""
    constraint: str | None = None
    """Features that a node must have, as sbatch's --constraint."""
    scratch: str | None = None
    """Folder on the compute node for temporary files."""
    warning_s: Annotated[int, Field(ge=1, le=1200)] = 120
    """Seconds before the time limit at which a training is told to save its state and go back into the queue."""
    extra: str | None = None
    """More sbatch options, verbatim."""
    modules: tuple[Word, ...] = ()
    """Environment modules that every step loads, in order."""
    container: str | None = None
    """Image of Apptainer that every step runs in; see apptainer.def."""
    container_options: str = "--nv"
    """Options of `apptainer exec`, verbatim: the GPU's driver, folders to bind."""

    @field_validator("extra")
    @classmethod
    def _has_no_key_of_its_own(cls, value: str | None) -> str | None:
        if value is not None and (found := _OWN.search(value)):
            raise ValueError(f"no option that a key of this file or a rule's resources set, such as {found.group()}")
        return value

    def cpu(self) -> dict[str, str]:
        """Return the Snakemake resources of a job without a GPU."""
        named = {
            "slurm_account": self.account,
            "slurm_partition": self.partition,
            "qos": self.qos,
            "constraint": self.constraint,
            "tmpdir": self.scratch,
            "slurm_extra": self.extra,
        }
        return {name: value for name, value in named.items() if value is not None}

    def gpu(self, count: int = 1) -> dict[str, str]:
        """Return the Snakemake resources of a job with so many GPUs. Machines without SLURM ignore them."""
        partition = {"slurm_partition": self.gpu_partition} if self.gpu_partition is not None else {}
        return {**self.cpu(), **partition, "gres": ":".join(filter(None, ["gpu", self.gpu_type, str(count)]))}

    def training(self) -> dict[str, str]:
        """Return the same of a job that trains, on all its GPUs and with a warning before its time limit.

        All processes get the warning, the training alone answers. Other jobs ask for none: a process that has not yet said
        that it ignores the signal dies of it.
        """
        return {
            **self.gpu(self.gpus_per_run),
            "slurm_extra": " ".join(filter(None, [self.extra, f"--signal=USR1@{self.warning_s}"])),
        }

    def launcher(self) -> str:
        """Return what stands before the one command of every rule: modules, container.

        The command replaces its shell, which would die of a signal that the command obeys in its own time.
        """
        modules = f"set +u; module load {shlex.join(self.modules)}; set -u; " if self.modules else ""
        container = f"apptainer exec {self.container_options} {shlex.quote(self.container)} " if self.container else ""
        return f"set -euo pipefail; {modules}exec {container}"


def load_site(root: Path) -> Site:
    """Return the settings of slurm/site.yaml, or the defaults where there is no such file.

    Raises:
        InputError: if the file is invalid.
    """
    path = root / "slurm" / "site.yaml"
    return load_yaml(path, Site) if path.is_file() else Site()
