"""The embedded world: walking people with known identity, joints, mask and motion, in the official layouts."""

COMPLETE = "synthetic.json"
"""Written last into a rendered set: its presence means complete."""
PARTIAL = "synthetic.partial.json"
"""Present while a set is being rendered."""
