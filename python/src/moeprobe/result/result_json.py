"""A result without its arrays as the text of result.json."""

from __future__ import annotations

import json
import math
from typing import Any

from moeprobe.result.document import Document


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    is_none = isinstance(value, float) and not math.isfinite(value)
    return None if is_none else value


def result_json(document: Document) -> str:
    """Return JSON text in ASCII; what is no number becomes null."""
    return json.dumps(_finite(document), indent=2) + "\n"
