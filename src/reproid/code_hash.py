"""The code that a run depends on, as one digest: written into its manifest, and compared with the clone's by the report.

It stands alone, so that neither torch nor pyarrow is loaded for it.
"""

import hashlib
from pathlib import Path

import reproid

_SHARED = ("clips", "gop", "training", "inference", "models")


def code_sha256(method: str) -> str:
    """Return the SHA-256 of the code that a run of ``method`` depends on.

    These are the packages clips, gop, training and inference, what the models share, the method's own folder, and seeds.py.
    """
    root = Path(reproid.__file__).parent
    files = [root / "seeds.py"]
    for package in _SHARED:
        files += (root / package).glob("*.py")
    files += [path for path in (root / "models" / method).rglob("*") if path.suffix in (".py", ".yaml")]
    sha = hashlib.sha256()
    for path in sorted(files):
        sha.update(f"{path.relative_to(root).as_posix()}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return sha.hexdigest()
