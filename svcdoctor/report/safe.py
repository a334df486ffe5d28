"""Cluster data made harmless for a terminal: what a report prints of it passes through here.

Names, labels and messages come from strangers. Escape sequences could repaint the screen, bidi overrides show a command
as another one (CVE-2021-42574), a NUL cuts a line short. JSON escapes by itself (`report.json`): its readers get the
exact strings.
"""


def safe(text: str) -> str:
    """``text`` on one line: whatever is not printable shows as its escape, ESC as ``\\x1b``, U+202E as ``\\u202e``.

    Not printable is what `str.isprintable` says: controls, format characters, surrogates, private and unassigned
    characters, and every space but the ASCII one.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def safe_lines(text: str) -> str:
    """The same for text of several lines, such as a patch: its line ends stay."""
    return "\n".join(safe(line) for line in text.split("\n"))
