"""Numbers as text that reads back to the same number, as short as can be."""

import decimal
import math


def exact_number(number: float) -> str:
    """Return the shorter of the plain and the scientific form, as C++ does."""
    if not math.isfinite(number):
        return repr(number)
    exact = decimal.Decimal(repr(number))
    sign, digits, exponent = exact.normalize().as_tuple()
    if not isinstance(exponent, int) or not number:
        return "-0" if sign else "0"
    mantissa = "".join(map(str, digits))
    power = exponent + len(mantissa) - 1
    fraction = f".{mantissa[1:]}" if len(mantissa) > 1 else ""
    scientific = f"{mantissa[0]}{fraction}e{'-' if power < 0 else '+'}{abs(power):02d}"
    plain = str(int(number)) if number.is_integer() else f"{abs(exact):f}"
    shortest = scientific if len(scientific) < len(plain.lstrip("-")) else plain
    return f"{'-' if sign else ''}{shortest.lstrip('-')}"
