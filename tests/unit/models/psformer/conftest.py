import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # psformer_reference.py and psformer_small.py
