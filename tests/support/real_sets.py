"""The real metadata of public data sets, where they lie beside the clone, as trees of tiny placeholder images."""

import csv
import json
from pathlib import Path

import numpy as np
from scipy.io import savemat

METADATA = Path(__file__).resolve().parents[3] / "shared/metadata"
MISSING = "the real metadata of public data sets are not beside this clone (../shared/metadata)"
# a PNG of one grey pixel
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c636800000082008177cd72b60000000049454e44ae426082"
)


def sequences(name: str) -> list[dict[str, str]]:
    """Return the rows camera, person, first_frame, last_frame, frames."""
    with (METADATA / name / "sequences.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def splits(name: str) -> list[dict[str, list[str]]]:
    """Return the ten splits as torchreid writes them: a list of {"train": [names], "test": [names]}."""
    content = json.loads((METADATA / name / "splits.json").read_text())
    return [content[str(number)] for number in range(1, 11)]


def make_ilids_vid(root: Path, image: bytes) -> Path:
    """Write the 300 persons' frames under their own names and ranges, and ls_set."""
    persons = sorted({row["person"] for row in sequences("ilids-vid")})
    for row in sequences("ilids-vid"):
        folder = root / "i-LIDS-VID/sequences" / row["camera"] / row["person"]
        stem, _, first = row["first_frame"].removesuffix(".png").rpartition("_")
        _write(folder, [f"{stem}_{int(first) + k:05d}.png" for k in range(int(row["frames"]))], image)
    position = {person: k for k, person in enumerate(persons, start=1)}
    rows = [[position[p] for side in ("test", "train") for p in split[side]] for split in splits("ilids-vid")]
    (root / "train-test people splits").mkdir()
    savemat(root / "train-test people splits/train_test_splits_ilidsvid.mat", {"ls_set": np.array(rows, np.uint16)})
    return root


def make_prid_2011(root: Path, image: bytes) -> Path:
    """Write the 178 persons' frames; the others of 385 and 749, whose ranges are not published, have one frame each."""
    known = {(row["camera"], row["person"]): int(row["frames"]) for row in sequences("prid2011")}
    for camera, name, persons in (("cam1", "cam_a", 385), ("cam2", "cam_b", 749)):
        for k in range(1, persons + 1):
            person = f"person_{k:04d}"
            frames = known.get((camera, person), 1)
            _write(root / "prid_2011/multi_shot" / name / person, [f"{n:04d}.png" for n in range(1, frames + 1)], image)
    return root


def _write(folder: Path, names: list[str], image: bytes) -> None:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(image)
