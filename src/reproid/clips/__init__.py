"""From the index to batches of clips: frame sampling, augmentation, decoding, loader workers."""
