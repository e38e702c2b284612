"""Numbers of a model as people say them."""

from ziggurat.surface.language import translate

__all__ = ["count", "operations", "share", "size"]

STEPS = ("", "k", "M", "G", "T", "P", "E")


def count(number: float) -> str:
    """Return a count in thousands, millions and so on, with three digits.

    >>> count(704), count(262_272), count(4_199_424), count(999_999)
    ('704', '262 k', '4.20 M', '1.00 M')
    """
    return _scaled(number, "")


def operations(number: float) -> str:
    """Return floating-point operations.

    >>> operations(8_400_000), operations(0)
    ('8.40 MFLOP', '0 FLOP')
    """
    return _scaled(number, "FLOP")


def size(number: float) -> str:
    """Return bytes, in powers of a thousand.

    >>> size(16_797_696), size(2048)
    ('16.8 MB', '2.05 kB')
    """
    return _scaled(number, "B")


def share(part: float, whole: float) -> str:
    """Return what part of the whole something is.

    >>> share(1, 8), share(0, 8), share(1, 1000)
    ('12 %', '–', '<1 %')
    """
    if not part or not whole:
        return "–"
    percent = 100 * part / whole
    return translate("<1 %") if percent < 1 else f"{percent:.0f} %"


def _scaled(number: float, unit: str) -> str:
    value, step = float(number), 0
    while abs(value) >= 999.5 and step < len(STEPS) - 1:
        value, step = value / 1000, step + 1
    digits = 0 if step == 0 else max(0, 2 - (abs(value) >= 9.995) - (abs(value) >= 99.95))
    return f"{value:.{digits}f} {STEPS[step]}{unit}".rstrip()
