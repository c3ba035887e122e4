"""Colours that every kind of eye tells apart."""

# Okabe and Ito's.
BLUE = "#0072B2"
ORANGE = "#D55E00"
GREEN = "#009E73"
PINK = "#CC79A7"
SKY = "#56B4E9"
YELLOW = "#E69F00"
GREY = "#777777"
COLOURS = (BLUE, ORANGE, GREEN, PINK, SKY, YELLOW)

# Of heat. matplotlib knows both by name; Plotly only the first.
SEQUENTIAL = "cividis"
DIVERGING = "PuOr"
_BREWER = (
    "#7f3b08", "#b35806", "#e08214", "#fdb863", "#fee0b6", "#f7f7f7",
    "#d8daeb", "#b2abd2", "#8073ac", "#542788", "#2d004b",
)  # fmt: skip
PURPLE_ORANGE = [(i / (len(_BREWER) - 1), c) for i, c in enumerate(_BREWER)]
