"""What is shipped with the program: the sample meeting, and trained models, each with its card."""

from pathlib import Path


def shipped(*parts: str) -> Path:
    """The path of a shipped file: ``shipped("models", "sentiment.npz")``. It need not exist."""
    return Path(__file__).resolve().parent.joinpath(*parts)
