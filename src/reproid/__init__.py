"""ReproID: papers of video person re-identification, re-run by one reproducible pipeline."""

__version__ = "0.1.0"
