"""Whether the models are there and as they should be: what ``backchannel check`` says of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import process_time, thread_time

from analysis import (
    accurate,
    encoder,
    language_model,
    logistics_model,
    pipeline,
    question_model,
    sentiment_model,
    theme_model,
)
from analysis.sentiment_model import ModelError
from archive.checkup import Finding
from archive.vocabulary import Meeting

_TRIED = [f"Is the data of town number {number} really open to everybody?" for number in range(64)]
_MUCH = 0.2  # of the work, done by other threads
_CHANGED = (
    "not of the version that the card beside it names, so that tags may be wrong; "
    "install Backchannel again, or `make train` rebuilds both"
)


def check_models(meeting: Meeting) -> Iterator[Finding]:
    """The encoder, the fast tier with all else that tags every post, and the accurate tier.

    Without the encoder themes are found by keywords alone, without the accurate tier sentiment is not
    refined: both are warnings. Nothing is tagged without the rest.
    """
    yield _encoder()
    yield _fast(meeting)
    yield _accurate()


def _encoder() -> Finding:
    try:
        model = encoder.load()
    except encoder.EncoderMissing as error:
        return Finding("encoder", "warning", str(error))
    threads = model.threads()
    if threads > 1 or (threads == 0 and _share_of_others(model) > _MUCH):
        text = f"version {model.version} works on more than one thread, which slows everything down"
        return Finding("encoder", "failed", f"{text}; `make demo` installs threadpoolctl")
    return Finding("encoder", "ok", f"version {model.version}, on one thread")


def _share_of_others(model: encoder.Encoder) -> float:
    """How much of the processor's time for encoding was not spent by this thread."""
    everybody, this_one = process_time(), thread_time()
    model.encode(_TRIED)
    everybody, this_one = process_time() - everybody, thread_time() - this_one
    return (everybody - this_one) / max(everybody, 1e-9)


def _fast(meeting: Meeting) -> Finding:
    try:
        nlp = pipeline.build(meeting)
        changed = [path.name for path, version in _versions() if not _is_on_card(path, version)]
    except ModelError as error:
        return Finding("models", "failed", f"{error}; posts are collected and wait for their tags")
    if changed:
        return Finding("models", "failed", f"{', '.join(changed)}: {_CHANGED}")
    return Finding("models", "ok", f"version {pipeline.version(nlp)}: {', '.join(nlp.pipe_names)}")


def _versions() -> Iterator[tuple[Path, str]]:
    """The model files of the fast tier, each with the hash of what it holds."""
    yield language_model.MODEL, language_model.load().version
    yield theme_model.CONSTANTS, theme_model.load().version
    yield sentiment_model.MODEL, sentiment_model.load().version
    yield logistics_model.MODEL, logistics_model.load().version
    yield question_model.MODEL, question_model.load().version


def _is_on_card(path: Path, version: str) -> bool:
    """A readable model can be changed and still be read: its card tells what it should be."""
    try:
        return f"ersion `{version}`" in path.with_suffix(".md").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def _accurate() -> Finding:
    try:
        model = accurate.load()
    except ModelError as error:
        return Finding("accurate tier", "warning", f"{error}; sentiment stays as the fast tier has it")
    if not _is_on_card(accurate.FOLDER / accurate.SETTINGS, model.version):
        return Finding("accurate tier", "warning", f"{accurate.SETTINGS}: {_CHANGED}")
    return Finding("accurate tier", "ok", f"version {model.version}")
