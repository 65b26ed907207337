"""Check that training did something: the trained ResNet-50 beats the untrained one by at least 20 points of rank-1.

Reads results/summary/metrics.json of the demo. Example: python tools/check_margin.py
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TRAINED, UNTRAINED, MARGIN = "psformer/resnet50", "controls/resnet50-untrained", 0.20


def main() -> None:
    """Compare the two runs under every protocol that scored both."""
    runs = json.loads((ROOT / "results/summary/metrics.json").read_text(encoding="utf-8"))["runs"].values()
    scores = {name: run["protocols"] for run in runs for name in run["experiments"].split(", ")}
    for protocol in scores[TRAINED]:
        trained, untrained = (scores[name][protocol]["rank1"] for name in (TRAINED, UNTRAINED))
        print(f"check_margin: {protocol}: rank-1 {100 * trained:.1f} trained, {100 * untrained:.1f} untrained")
        if trained - untrained < MARGIN:
            sys.exit(f"check_margin: expected at least {100 * MARGIN:.0f} points between them")


if __name__ == "__main__":
    main()
