"""Text of others inside messages."""

_LONGEST = 200


def quoted(text: str) -> str:
    """Return `text` in double quotes, on one line, cut where it is long."""
    shown = text[:_LONGEST]
    safe = shown.replace("\\", "\\\\").replace('"', '\\"')
    printable = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in safe
    )
    return f'"{printable}{"..." if len(text) > len(shown) else ""}"'
