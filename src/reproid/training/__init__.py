"""Training: losses, batches, the loop, its resume state, and what is recorded about it."""
