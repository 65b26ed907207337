"""From embeddings or distances to CMC, mAP and mINP under a named protocol. Reads files only; imports no torch.

numba is imported by the first evaluation, not by the import of this package.
"""
