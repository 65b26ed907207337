"""One folder per method (method.yaml and its code), what they share, and the registry that makes them."""
