"""The embedded world: walking people with known identity, joints, mask and motion, in the official layouts."""

COMPLETE = "synthetic.json"
"""Written last into a rendered set: its presence means complete."""
DECLARED = "synthetic.spec.json"
"""Written first and kept: says whose folder it is, also while the set is incomplete."""
