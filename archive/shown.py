"""What a page shows of a post where its own columns say too little."""

#: The text of ``p``; of a repost that carries none (Bluesky), that of the post passed on, if it is here.
TEXT = (
    "CASE WHEN p.text = '' AND p.repost_of IS NOT NULL "
    "THEN ifnull((SELECT o.text FROM posts o WHERE o.key = p.repost_of), '') ELSE p.text END"
)


def account(handle: str | None, name: str | None) -> str:
    """How an author is named: ``@handle``, a shortened did, else the display name."""
    if not handle:
        return name or "somebody"
    if handle.startswith("did:"):
        return handle if len(handle) <= 20 else f"{handle[:16]}…"
    return f"@{handle}"
