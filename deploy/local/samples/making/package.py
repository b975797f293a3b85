"""Packs the parts of a DOCX or an ODT. Nothing is compressed and no time is noted, so the same parts always give the same bytes."""

import io
import zipfile


def packed(parts):
    """A package of parts, each a path and its text, in this order."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as package:
        for path, text in parts:
            entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # Python writes the machine's own otherwise.
            entry.external_attr = 0o644 << 16
            package.writestr(entry, text.encode())
    return packed.getvalue()
