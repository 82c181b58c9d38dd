"""How texts from outside are shown: posts whose own columns say too little, accounts, reasons."""

#: The text of ``p``; of a repost that carries none (Bluesky), that of the post passed on, if it is here.
TEXT = (
    "CASE WHEN p.text = '' AND p.repost_of IS NOT NULL "
    "THEN ifnull((SELECT o.text FROM posts o WHERE o.key = p.repost_of), '') ELSE p.text END"
)


def printable(text: str, *, keep: str = "") -> str:
    """A text from outside on one line of a terminal or a ledger: control characters become blanks.

    They could make a terminal do things, or hold what SQLite cannot. ``keep`` are those that may stay.
    """
    return "".join(sign if sign.isprintable() or sign in keep else " " for sign in text)


def account(handle: str | None, name: str | None) -> str:
    """How an author is named: ``@handle``, a shortened did, else the display name."""
    if not handle:
        return name or "somebody"
    if handle.startswith("did:"):
        return handle if len(handle) <= 20 else f"{handle[:16]}…"
    return f"@{handle}"
