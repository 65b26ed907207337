"""From a trained run to descriptors."""
