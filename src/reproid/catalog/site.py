"""What differs between clusters: the file slurm/site.yaml, which Git ignores (slurm/site.example.yaml shows it)."""

from pathlib import Path

from reproid.catalog._yaml import Strict, load_yaml


class Site(Strict):
    """One cluster. Every key may be left out; the cluster's own default then holds."""

    account: str | None = None
    """SLURM account that is charged."""
    partition: str | None = None
    """Partition of jobs without a GPU."""
    gpu_partition: str | None = None
    """Partition of jobs with one."""
    gpu_type: str | None = None
    """As the cluster names it in its gres: a100, h100; null: any."""
    scratch: str | None = None
    """Folder on the compute node for temporary files."""
    extra: str | None = None
    """More sbatch options, verbatim."""

    def cpu(self) -> dict[str, str]:
        """Return the Snakemake resources of a job without a GPU."""
        named = {
            "slurm_account": self.account,
            "slurm_partition": self.partition,
            "tmpdir": self.scratch,
            "slurm_extra": self.extra,
        }
        return {name: value for name, value in named.items() if value is not None}

    def gpu(self) -> dict[str, str]:
        """Return the Snakemake resources of a job with one GPU. Machines without SLURM ignore them."""
        partition = {"slurm_partition": self.gpu_partition} if self.gpu_partition is not None else {}
        return {**self.cpu(), **partition, "gres": f"gpu:{self.gpu_type}:1" if self.gpu_type is not None else "gpu:1"}


def load_site(root: Path) -> Site:
    """Return the settings of slurm/site.yaml, or the defaults where there is no such file.

    Raises:
        InputError: if the file is invalid.
    """
    path = root / "slurm" / "site.yaml"
    return load_yaml(path, Site) if path.is_file() else Site()
