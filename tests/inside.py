"""Points inside the domains of functions."""

# Points inside the domains, for derivatives; the ones near the ends tell apart spellings that lose digits.
INSIDE = {
    "arccosh": [1.0001, 1.5, 30.0, 1e9],
    "log1mexp": [-1e-8, -0.3, -1.0, -40.0],
    "log1p": [-0.9999, -0.3, 1e-12, 7.0],
    **dict.fromkeys(
        ("log", "log2", "log10", "sqrt", "sqrt0"),
        (
            1e-200,
            0.3,
            1.0001,
            1e200,
        ),
    ),
    **dict.fromkeys(
        ("arcsin", "arccos", "arctanh", "cosarcsin"),
        (
            -0.99999,
            -0.3,
            1e-12,
            0.999,
        ),
    ),
    **dict.fromkeys(
        ("gamma", "lgamma", "digamma", "factorial"),
        (
            -2.3,
            0.4,
            1.4616,
            2.0,
            30.3,
        ),
    ),
    "lngamma": [-1.3, 0.4, 2.0, 30.3],
    "logit": [0.1, 0.5001, 0.999],
    **dict.fromkeys(
        ("logerfc", "mills", "millsrest"),
        (
            -3.0,
            0.3,
            2.0,
            20.0,
        ),
    ),
    "cbrt": [-1e100, -0.3, 0.3, 1e100],
    "reciprocal": [-3.0, 0.2],
    **dict.fromkeys(("log1prel", "log1prelslope", "log1prelbend"), (-0.9, -0.3, 1e-9, 0.45, 7.0)),
    **dict.fromkeys(
        ("exprel", "exprelslope", "exprelbend", "expm1inv", "expm1invslope", "expm1invbend"),
        (-40.0, -1.5, 1e-9, 0.7, 40.0),
    ),
    **dict.fromkeys(
        ("sinrel", "sinhrel", "sinhslope", "tanhrel", "tanhslope", "sinrest", "sinrestslope"),
        (-2.7, -0.3, 1e-7, 0.7, 3.3),
    ),
    "entr": [1e-9, 0.3, 2.0],
    "sinc": [-1.3, 1e-3, 0.3, 2.2],
    "expm1": [-40.0, -1e-12, 0.3, 40.0],
    "logcosh": [-30.0, -1e-7, 0.3, 3.0],
    "softplus": [-700.0, -30.0, 0.3, 50.0],
    "sigmoid": [-700.0, -30.0, 0.3, 30.0],
    "tanh": [-30.0, 1e-9, 0.3, 18.0],
    "sech": [-300.0, 1e-9, 0.3, 18.0],
    "erfc": [-3.0, 0.3, 5.0, 20.0],
    "gelu": [-9.0, -0.3, 0.3, 4.0],
    "logsigmoid": [-50.0, 0.3, 40.0],
    "silu": [-40.0, 0.3, 20.0],
}
INSIDE_TWO = {
    **dict.fromkeys(
        ("powslope", "powlog"),
        (
            (0.3, 2.7),
            (3.0, -1.5),
            (40.0, 3.0),
        ),
    ),
    "power": [(0.3, 2.7), (3.0, -1.5), (1e-30, 0.2), (40.0, 3.0)],
    "arctan2": [(0.3, -2.0), (-1e-9, 1.0), (1e160, 1e160)],
    "hypot": [(3.0, 4.0), (1e200, 1e200), (1e-200, 1e-201)],
    "polygamma": [(1.0, 0.4), (2.0, 12.5), (4.0, -0.6)],
    "logaddexp": [(800.0, 799.0), (-800.0, -801.0), (0.3, 50.0)],
    "mod": [(7.3, 2.0), (-7.3, 2.0), (7.3, -2.1)],
    "floor_divide": [(0.3, 2.0), (7.3, -2.0), (-3.0, 1.7)],
    "xlogy": [(0.3, 2.0), (2.0, 1e-9)],
    "xlog1py": [(0.3, 2.0), (2.0, -0.999)],
    **dict.fromkeys(("rel_entr", "kl_div"), ((0.3, 2.0), (2.0, 0.25))),
    **dict.fromkeys(("boxcox", "boxcoxslope", "boxcoxbend"), ((0.3, 2.0), (2.0, 1e-9), (30.0, -0.01), (3.0, -2.5))),
    "logaddexp2": [(3.0, 2.0), (900.0, 905.0)],
}
