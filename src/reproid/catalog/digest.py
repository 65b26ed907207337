"""Short hashes of plain data: the names of folders whose content they determine."""

import hashlib
import json
from typing import Any


def digest(value: Any) -> str:
    """Return 12 hexadecimal digits of the SHA-256 of plain data, independent of the order of keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
