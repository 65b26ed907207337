"""The manifest: on what, with what and by which command a run was made. Reading and writing one needs no torch."""

import os
import platform
import resource
import subprocess
import sys
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import reproid
from reproid.errors import InputError
from reproid.files import read_json, write_json
from reproid.seeds import Axis, derive_seed
from reproid.training.digests import file_sha256

SCHEMA = 1
AXES: tuple[Axis, ...] = ("init", "order", "sampling", "augmentation")
LOCKS = ("requirements.txt", "requirements-torch.txt", "requirements-cuda.txt")


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """The machine that a run was made on."""

    system: str
    cpu: str
    cores: int
    """Cores that the process may use."""
    gpu: str | None = None
    driver: str | None = None
    """Of the GPU."""
    cuda: str | None = None
    """Version that torch was built for."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The file manifest.json."""

    schema: int
    run_id: str
    argv: tuple[str, ...]
    """The command, the program first."""
    git_commit: str | None
    """None outside a clone."""
    git_dirty: bool | None
    """Whether the clone held changes."""
    python: str
    packages: dict[str, str]
    """Version of every installed distribution."""
    locks: dict[str, str]
    """SHA-256 of each lock file of the clone."""
    code_sha256: str
    """See `reproid.code_hash.code_sha256`."""
    data_sha256: str | None
    """See `reproid.training.digests.data_sha256`; None: the training failed before it read the index."""
    weights: str
    """SHA-256 of the pretrained checkpoint; absent: it was not on this machine; none: the settings ask for none; unknown: the
    training failed before it read it."""
    hardware: Hardware
    device: Literal["cpu", "cuda"]
    threads: int
    workers: int
    slurm_job_id: str | None
    started: str
    """UTC, ISO 8601; of the last process."""
    wall_s: float
    """Seconds, all processes that took part."""
    sessions: int
    """Processes that took part: more than one after a resume."""
    peak_memory_mib: float
    """Of the main process."""
    peak_gpu_memory_mib: float | None
    """As torch allocated it."""
    seeds: dict[str, int]
    """The derived seed of each axis, and that of torch's generator; clips and batches derive theirs from epoch and place."""
    world_size: int = 1
    """Processes that trained together, each with its share of every batch."""

    def write(self, path: Path) -> None:
        """Write the file."""
        write_json(path, asdict(self))


def read_manifest(path: Path) -> Manifest:
    """Read manifest.json.

    Raises:
        InputError: if the file is missing, damaged or of another schema.
    """
    value = read_json(path)
    found = value.get("schema") if isinstance(value, dict) else type(value).__name__
    if found != SCHEMA or set(value) != {field.name for field in fields(Manifest)}:
        raise InputError("not a manifest of this version", where=path, expected=f"schema {SCHEMA}", got=f"schema {found}")
    return Manifest(**value | {"hardware": Hardware(**value["hardware"]), "argv": tuple(value["argv"])})


def derived_seeds(seed: int) -> dict[str, int]:
    """Return the seed of each axis of randomness of a training, and of torch's generator (dropout, drop-path)."""
    return {axis: derive_seed(seed, axis) for axis in AXES} | {"augmentation/model": derive_seed(seed, "augmentation", "model")}


def environment() -> dict[str, Any]:
    """Return the fields of a `Manifest` that depend on the machine, the clone and the command alone."""
    commit, dirty = _git_state(_clone())
    return {
        "schema": SCHEMA,
        "argv": _command(),
        "git_commit": commit,
        "git_dirty": dirty,
        "python": platform.python_version(),
        "packages": _packages(),
        "locks": {name: digest for name in LOCKS if (digest := file_sha256(_clone() / name))},
        "hardware": hardware(),
        "slurm_job_id": os.environ.get("SLURM_JOB_ID"),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def hardware() -> Hardware:
    """Describe this machine; of the GPU only what a torch that is already loaded knows."""
    machine = Hardware(system=platform.platform(), cpu=_cpu_model(), cores=len(os.sched_getaffinity(0)))
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return machine
    return replace(machine, gpu=torch.cuda.get_device_name(), driver=_driver(), cuda=torch.version.cuda)


def peak_memory_mib() -> float:
    """Return the largest resident size of this process so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)  # Linux counts in KiB


@cache
def _packages() -> dict[str, str]:
    return dict(sorted((found.name, found.version) for found in metadata.distributions()))


def _clone() -> Path:
    return Path(reproid.__file__).resolve().parents[2]


def _git_state(folder: Path) -> tuple[str | None, bool | None]:
    if not (folder / ".git").exists():
        return None, None
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return commit, bool(_git(folder, "status", "--porcelain"))
    except (OSError, subprocess.SubprocessError):  # no git program, or a folder that it does not trust
        return None, None


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.strip()


def _command() -> tuple[str, ...]:
    program = Path(sys.argv[0]).name
    return ("reproid" if program == "__main__.py" else program, *sys.argv[1:])


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _driver() -> str | None:
    """Return the version of NVIDIA's kernel module."""
    try:
        words = Path("/proc/driver/nvidia/version").read_text(encoding="utf-8").split()
    except OSError:
        return None
    return next((word for word in words if word.count(".") >= 1 and word[0].isdigit()), None)
