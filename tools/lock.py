"""Write requirements.txt and requirements-cuda.txt, both hashed, from requirements.in and requirements-torch.txt.

torch is left out of requirements.txt because its CPU and CUDA builds share one version number and differ in hash: pip picks the
build that a machine offers (requirements-torch.txt). requirements-cuda.txt pins the CUDA build and its libraries with hashes.

Needs uv. Example: python tools/lock.py
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CUDA = re.compile(r"^(torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z0-9-]+)==")
HEADER = "# Locked with hashes by tools/lock.py from {source}. Do not edit.\n"


def resolve() -> list[str]:
    """Return the resolved requirements, one entry (with its hashes) per item, sorted by name."""
    command = ["uv", "pip", "compile", "--python-version", "3.11", "--generate-hashes", "--no-annotate"]
    command += ["--no-header", "--no-emit-index-url", "--no-emit-find-links", "--quiet"]
    text = subprocess.check_output([*command, "requirements.in", "requirements-torch.txt"], cwd=ROOT, text=True)
    return [entry for entry in re.split(r"\n(?=\S)", text.strip()) if entry]


def main() -> None:
    """Resolve once, then split: what every machine needs, and the CUDA build of torch with its libraries."""
    entries = resolve()
    if any("://" in entry or " @ " in entry for entry in entries):
        sys.exit("lock: an entry names an address; a lock holds versions and hashes only")
    cuda = [entry for entry in entries if CUDA.match(entry)]
    rest = [entry for entry in entries if not CUDA.match(entry)]
    for name, chosen in (("requirements.txt", rest), ("requirements-cuda.txt", cuda)):
        header = HEADER.format(source="requirements.in and requirements-torch.txt")
        (ROOT / name).write_text(header + "\n".join(chosen) + "\n")
        print(f"{name}: {len(chosen)} packages")


if __name__ == "__main__":
    main()
