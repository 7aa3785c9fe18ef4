"""Statistics: covariances, moments, means of other kinds, what leaves nan out, differences and quadrature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..elaboration.elaborate import elaborate_text
from ..errors import ExpressionError, ShapeError
from ..graph.algebra import broadcast
from ..graph.nodes import Node
from ..graph.operator import NOWHERE, Operator
from ..shapes import normalize_axis, require_rank
from .axes import below_one_another, concatenated, reshaped
from .patterns import plain

AXES = "x; axis=None, keepdims=False"
_ALONG = "axis=axis, keepdims=keepdims"
_SAMPLES = ("{0}(x)", "{0}(X, axis=0)", "{0}(X, axis=1, keepdims=True)")


def statistic(name: str, parameters: str, doc: str, **fields: Any) -> Operator:
    """Return an operator of statistics."""
    defaults: dict[str, Any] = {
        "samples": tuple(sample.format(name) for sample in (_SAMPLES if "keepdims" in parameters else _SAMPLES[:2])),
        "errors": (f"{name}()", f"{name}(X, axis=2)"),
    }
    return Operator(name, parameters, doc, family="statistics", **(defaults | fields))


def of_stats(
    name: str, parameters: str, doc: str, way: str | Callable[..., Node], signature: str, meaning: str,
    called: str = "", **fields: Any,
) -> Operator:
    """Return a function of scipy.stats, which goes along the first axis where none is named."""
    theirs = f"scipy.stats.{called or name}({signature}, nan_policy='propagate', keepdims=False) -> {name}({meaning})"
    spelling = ", ".join(f"{word.partition('=')[0].strip()}=#{place}"
                         for place, word in enumerate(parameters.partition(";")[2].split(","), 2))
    return statistic(name, parameters, doc, **{"definition" if isinstance(way, str) else "build": way},
                     libraries=(theirs,),
                     spellings={**NOWHERE, "numpy": f"scipy.stats.{called or name}(#1, {spelling})"}, **fields)


# --- covariances -----------------------------------------------------------------------------------------------------


def _deviations(rowvar: bool, *arrays: Node, weights: Node | None = None) -> list[Node]:
    """Return the deviations of variables from their means: a row for each variable of an array."""
    mean = "mean(X, axis=-1, keepdims=True)" if weights is None else "(X @ w)[..., None] / sum(w)"
    found = []
    for X in arrays:
        if not 1 <= X.rank <= 2:
            raise ShapeError("variables are the rows of a matrix, or one vector")
        rows = X if rowvar or X.rank < 2 else elaborate_text("X.T", {"X": X})
        if len(arrays) == 1 and rows.shape[0] == 1:  # of one variable the libraries return a number
            rows = reshaped(rows, -1)
        found.append(elaborate_text(f"X - {mean}", {"X": rows, "w": weights}))
    return found


def _scatter(parts: list[Node]) -> Node:
    """Return the products of all pairs of rows."""
    match parts:
        case [D]:
            return elaborate_text("D @ D.T", {"D": D})
        case [D, E] if D.rank == E.rank == 1:
            return elaborate_text("[[D @ D, D @ E], [E @ D, E @ E]]", {"D": D, "E": E})
    return _scatter([below_one_another(*parts)])


def _covariance(*arrays: Node, rowvar: bool, bias: bool, ddof: Any) -> Node:
    parts = _deviations(rowvar, *arrays)
    less = ddof if ddof is not None else 0 if bias else 1
    products = {"S": _scatter(parts), "D": parts[0], "less": less}
    return elaborate_text("S / (count(D, axis=-1) - less)", products)


def _weighted_covariance(m: Node, f: Node, a: Node, rowvar: bool, bias: bool, ddof: Any) -> Node:
    """Return the covariances of observations that count several times (`f`), or matter more (`a`)."""
    weights = elaborate_text("f * a", {"f": f, "a": a})
    require_rank(weights.shape, 1, "cov", 1)
    (D,) = _deviations(rowvar, m, weights=weights)
    less = ddof if ddof is not None else 0 if bias else 1
    scatter = "D @ (w * D)" if D.rank == 1 else "D @ diag(w) @ D.T"
    shrunk = "sum(w)" if less == 0 else "sum(w) - less * sum(w * a) / sum(w)"
    return elaborate_text(f"({scatter}) / ({shrunk})", {"D": D, "w": weights, "a": a, "less": less})


def _correlation(*arrays: Node, rowvar: bool) -> Node:
    rows = "D / vector_norm(D, axis=-1, keepdims=True)"
    return _scatter([elaborate_text(rows, {"D": part}) for part in _deviations(rowvar, *arrays)])


_OF_TWO = "m, y; rowvar=True"
_WEIGHTED = (("fweights, aweights", "fweights, aweights"), ("fweights", "fweights, 1"), ("aweights", "1, aweights"))


# --- moments ---------------------------------------------------------------------------------------------------------


def _standardized(x: Node, axis: Any, power: int) -> Node:
    """Return the mean of a power of the deviations, over that of the standard deviation."""
    moments = "d = x - mean(x, axis=axis, keepdims=True); mean(d**k, axis=axis) / mean(d**2, axis=axis)**(k/2)"
    return elaborate_text(moments, {"x": x, "axis": axis, "k": power})


def _skewness(x: Node, axis: Any, bias: bool) -> Node:
    g = _standardized(x, axis, 3)
    unbiased = "n = count(x, axis=axis); sqrt(n*(n - 1))/(n - 2) * g"
    return g if bias else elaborate_text(unbiased, {"x": x, "axis": axis, "g": g})


def _kurtosis(x: Node, axis: Any, fisher: bool, bias: bool) -> Node:
    rule = "g" if bias else "n = count(x, axis=axis); ((n + 1)*(g - 3) + 6)*(n - 1)/((n - 2)*(n - 3)) + 3"
    found = elaborate_text(rule, {"x": x, "axis": axis, "g": _standardized(x, axis, 4)})
    return elaborate_text("k - 3", {"k": found}) if fisher else found


# --- along an axis ---------------------------------------------------------------------------------------------------


def _part(x: Node, ends: str, axis: int) -> Node:
    """Return a slice along an axis: `_part(x, "1:", 0)`."""
    return elaborate_text(f"x[{':, ' * normalize_axis(axis, x.rank)}{ends}]", {"x": x})


def _difference(x: Node, n: int, axis: int) -> Node:
    if n < 0:
        raise ExpressionError(f"`n` is a whole number from 0 on, not {n}")
    for _ in range(n):
        pair = {"a": _part(x, "1:", axis), "b": _part(x, ":-1", axis)}
        x = elaborate_text("a - b", pair)
    return x


def _extended(x: Node, end: Node, axis: int, first: bool) -> Node:
    """Return an array with more entries before or after it along an axis; a number is one entry."""
    place = normalize_axis(axis, x.rank)
    if end.rank == 0:
        end = broadcast(end, (*x.shape[:place], 1, *x.shape[place + 1 :]))
    return concatenated(*((end, x) if first else (x, end)), axis=place)


def _central(x: Node, spacing: Node, axis: int) -> Node:
    """Return differences of the two neighbours over their distance, at the ends those of one."""
    place = normalize_axis(axis, x.rank)
    steps = _steps(spacing, x, place)
    if steps.rank == 0:
        inner = {"a": _part(x, "2:", place), "b": _part(x, ":-2", place), "h": steps}
        middle = elaborate_text("(a - b) / (2*h)", inner)
        first = elaborate_text("d / h", {"d": _difference(_part(x, "0:2", place), 1, place), "h": steps})
        last = elaborate_text("d / h", {"d": _difference(_part(x, "-2:", place), 1, place), "h": steps})
        return concatenated(first, middle, last, axis=place)
    slopes = elaborate_text("d / h", {"d": _difference(x, 1, place), "h": steps})
    h = {"g": _part(steps, ":-1", place), "h": _part(steps, "1:", place)}
    near = {"a": _part(slopes, ":-1", place), "b": _part(slopes, "1:", place)}
    middle = elaborate_text("(h*a + g*b) / (g + h)", h | near)
    return concatenated(_part(slopes, "0:1", place), middle, _part(slopes, "-1:", place), axis=place)


def _steps(x: Node, y: Node, place: int) -> Node:
    """Return the distances of the places x, in line with y; a number is the distance of all."""
    if x.rank == 0:
        return x
    if x.rank == 1:
        if x.shape[0] != y.shape[place]:
            raise ShapeError("there must be as many places as entries", sizes=(y.shape[place], x.shape[0]))
        return reshaped(_difference(x, 1, 0), tuple(-1 if axis == place else 1 for axis in range(y.rank)))
    return _difference(x, 1, place)


def _areas(y: Node, x: Node, axis: int) -> Node:
    """Return the areas of the trapezoids between neighbours."""
    place = normalize_axis(axis, y.rank)
    pair = {"a": _part(y, "1:", place), "b": _part(y, ":-1", place), "h": _steps(x, y, place)}
    return elaborate_text("h * (a + b) / 2", pair)


def _trapezoid(y: Node, x: Node, axis: int) -> Node:
    return elaborate_text("sum(A, axis=axis)", {"A": _areas(y, x, axis), "axis": axis})


def _running_trapezoid(y: Node, x: Node, axis: int) -> Node:
    return elaborate_text("cumsum(A, axis=axis)", {"A": _areas(y, x, axis), "axis": axis})


def _simpson(y: Node, x: Node, axis: int) -> Node:
    """Return Simpson's rule over pairs of intervals, which may differ in length."""
    place = normalize_axis(axis, y.rank)
    count = plain(y.shape[place], "simpson")
    if count and (count < 3 or count % 2 == 0):
        raise ShapeError("Simpson's rule needs an odd number of places, 3 at least",
                         helps=["`trapezoid(y, x)` takes any number"])
    parts: dict[str, Any] = {
        name: _part(y, ends, place)
        for name, ends in (("a", ":-2:2"), ("b", "1:-1:2"), ("c", "2::2"))
    }
    steps = _steps(x, y, place)
    if steps.rank == 0:
        return elaborate_text("h/3 * sum(a + 4*b + c, axis=axis)", {**parts, "h": steps, "axis": place})
    halves = {"g": _part(steps, "::2", place), "h": _part(steps, "1::2", place)}
    rule = "(g + h)/6 * ((2 - h/g)*a + (g + h)**2/(g*h)*b + (2 - g/h)*c)"
    return elaborate_text(f"sum({rule}, axis=axis)", {**parts, **halves, "axis": place})


def quadrature(name: str, doc: str, build: Any, lines: tuple[str, ...], **fields: Any) -> Operator:
    """Return a rule of integration over places x, or over places at one distance."""
    libraries = []
    for line in lines:
        function, _, rest = line.partition("(")
        axis = "dim" if function.startswith("torch.") else "axis"
        libraries += [
            f"{function}(y, x: None = None, {rest}, {axis}=-1) -> {name}(y, dx, axis={axis})",
            f"{function}(y, x, {rest}, {axis}=-1) -> {name}(y, x, axis={axis})".replace("dx=1.0", "dx=..."),
        ]
    return statistic(
        name, "y, x=1; axis=-1", doc, build=build, libraries=tuple(libraries), spellings=NOWHERE,
        **{"samples": (f"{name}(x, u)", f"{name}(x)", f"{name}(X, a)", f"{name}(X, x)", f"{name}(X, v, axis=0)"),
           "errors": (f"{name}()", f"{name}(x, v)"), **fields},
    )


_PRESENT = "where(isnan(x), {0}, x)"


def without_nan(name: str, doc: str, definition: str, numpy: str = "axis=None, dtype=None, out=None, keepdims=False",
                torch: bool = False, **fields: Any) -> Operator:
    """Return a reduction that leaves out the entries that are nan."""
    meaning = f"{name}(a, axis=axis, keepdims=keepdims{', ddof=ddof' if 'ddof' in numpy else ''})"
    return statistic(
        name, fields.pop("parameters", AXES), f"{doc} of the entries that are numbers.", definition=definition,
        libraries=(f"np.{name}(a, {numpy}) -> {meaning}",
                   *([f"torch.{name}(input, dim: axis = None, keepdim=False, dtype=None)"
                      f" -> {name}(input, axis=dim, keepdims=keepdim)"] if torch else [])),
        spellings={} if torch else {"torch": None}, **fields,
    )


# How further entries are given to `diff`, and the array with them.
_FIRST = "extended(a, prepend, axis=axis)"
_ENDS = {
    "prepend, append": f"extended({_FIRST}, append, axis=axis, first=False)",
    "prepend": _FIRST,
    "append": "extended(a, append, axis=axis, first=False)",
}

ENTRIES = (
    # --- covariances
    statistic("cov", f"{_OF_TWO}, bias=False, ddof=None", "Covariance matrix of variables in the rows of a matrix, or"
              " of two arrays; the divisor is n - 1 unless `bias` or `ddof` says otherwise.", build=_covariance,
              libraries=("cov(m, y: None = None, rowvar=True, bias=False, ddof=None)"
                         " -> cov_of_one(m, rowvar=rowvar, bias=bias, ddof=ddof)",
                         "np.cov(m, y: None = None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None,"
                         " *, dtype=None) -> cov_of_one(m, rowvar=rowvar, bias=bias, ddof=ddof)",
                         *(f"{name}(m, y: None = None, rowvar=True, bias=False, ddof=None, *, {words})"
                           f" -> weighted_cov(m, {given}, rowvar=rowvar, bias=bias, ddof=ddof)"
                           for name in ("cov", "np.cov") for words, given in _WEIGHTED),
                         *(f"{name}(m, y, rowvar: True = True, bias=False, ddof=None, *, {words})"
                           f" -> weighted_cov(vstack([m, y]), {given}, bias=bias, ddof=ddof)"
                           for name in ("cov", "np.cov") for words, given in _WEIGHTED),
                         *(f"torch.cov(input, *, correction=1, {words})"
                           f" -> weighted_cov(input, {given}, ddof=correction)" for words, given in _WEIGHTED),
                         "np.cov(m, y, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None,"
                         " *, dtype=None) -> cov(m, y, rowvar=rowvar, bias=bias, ddof=ddof)",
                         "torch.cov(input, *, correction=1, fweights=None, aweights=None)"
                         " -> cov_of_one(input, ddof=correction)"),
              samples=("cov(x, u)", "cov(X, W)", "cov(X, x, bias=True)", "cov(X, W, rowvar=False)",
                       "cov(X, W, ddof=0)"),
              errors=("cov(T, X)", "cov(X, v)"),
              spellings={"torch": None},
             sought=("covariance", "covar")),
    statistic("cov_of_one", "m; rowvar=True, bias=False, ddof=None", "Covariance matrix of one array.", hidden=True,
              build=_covariance, spellings=NOWHERE,
              samples=("cov_of_one(X)", "cov_of_one(x)", "cov_of_one(X, rowvar=False, bias=True)"),
              errors=("cov_of_one(T)",)),
    statistic("weighted_cov", "m, f, a; rowvar=True, bias=False, ddof=None", "Covariance matrix of observations of"
              " which each counts several times, and has a weight.", hidden=True, build=_weighted_covariance,
              spellings=NOWHERE, domain=("real", "positive", "positive"),
              samples=("weighted_cov(X, 1, x)", "weighted_cov(X, x, u, bias=True)", "weighted_cov(x, u, 1)"),
              errors=("weighted_cov(T, 1, x)", "weighted_cov(X, 1, 1)")),
    statistic("corrcoef", _OF_TWO, "Correlation matrix of variables in the rows of a matrix, or of two arrays.",
              build=_correlation,
              libraries=("corrcoef(x, y: None = None, rowvar=True) -> corrcoef_of_one(x, rowvar=rowvar)",
                         "np.corrcoef(x, y: None = None, rowvar=True, *, dtype=None)"
                         " -> corrcoef_of_one(x, rowvar=rowvar)",
                         "np.corrcoef(x, y, rowvar=True, *, dtype=None) -> corrcoef(x, y, rowvar=rowvar)",
                         "torch.corrcoef(input) -> corrcoef_of_one(input)"),
              samples=("corrcoef(x, u)", "corrcoef(X, W)", "corrcoef(X, W, rowvar=False)"),
              errors=("corrcoef(T, X)", "corrcoef(X, v)"), spellings={"torch": None},
             sought=("correlation", "corr", "pearson", "pearsonr")),
    statistic("corrcoef_of_one", "m; rowvar=True", "Correlation matrix of one array.", hidden=True,
              build=_correlation, spellings=NOWHERE,
              samples=("corrcoef_of_one(X)", "corrcoef_of_one(X, rowvar=False)"), errors=("corrcoef_of_one(T)",)),

    # --- moments, and means of other kinds
    statistic("ptp", AXES, "Range: the largest entry less the least.",
              definition=f"max(x, {_ALONG}) - min(x, {_ALONG})", spellings={"torch": None},
              libraries=("np.ptp(a, axis=None, out=None, keepdims=False) -> ptp(a, axis=axis, keepdims=keepdims)",),
             sought=("range_of", "spread")),
    statistic("logmeanexp", AXES, "log(mean(exp(x))) without overflow.", spellings=NOWHERE,
              definition=f"logsumexp(x, {_ALONG}) - log(count(x, axis=axis))",
              libraries=("jax.nn.logmeanexp(x, axis=None, where=None, keepdims=False)"
                         " -> logmeanexp(x, axis=axis, keepdims=keepdims)",)),
    of_stats("zscore", "x; axis=0, ddof=0", "Deviations from the mean as multiples of the standard deviation.",
             "(x - mean(x, axis=axis, keepdims=True)) / std(x, axis=axis, ddof=ddof, keepdims=True)",
             "a, axis=0, ddof=0", "a, axis=axis, ddof=ddof"),
    of_stats("sem", "x; axis=0, ddof=1", "Standard error of the mean.",
             "std(x, axis=axis, ddof=ddof) / sqrt(count(x, axis=axis))", "a, axis=0, ddof=1",
             "a, axis=axis, ddof=ddof"),
    of_stats("skewness", "x; axis=0, bias=True", "Skewness: the third moment over the cube of the standard deviation;"
             " for `bias=False` the estimate from samples of a normal distribution.", _skewness,
             "a, axis=0, bias=True", "a, axis=axis, bias=bias", called="skew",
             samples=("skewness(x)", "skewness(X, axis=0)", "skewness(X, bias=False)")),
    of_stats("kurtosis", "x; axis=0, fisher=True, bias=True", "Kurtosis: the fourth moment over the square of the"
             " variance, less 3 where `fisher` is True; for `bias=False` the estimate from samples.", _kurtosis,
             "a, axis=0, fisher=True, bias=True", "a, axis=axis, fisher=fisher, bias=bias",
             samples=("kurtosis(x)", "kurtosis(X, axis=1)", "kurtosis(X, axis=1, fisher=False, bias=False)")),
    of_stats("moment", "x; order=1, axis=0", "Mean of a power of the deviations from the mean.",
             "mean((x - mean(x, axis=axis, keepdims=True))**order, axis=axis)", "a, order=1, axis=0",
             "a, order=order, axis=axis", samples=("moment(x, 3)", "moment(X, order=2, axis=1)")),
    of_stats("gmean", "x; axis=0", "Geometric mean.", "exp(mean(log(x), axis=axis))",
             "a, axis=0, dtype=None, weights=None", "a, axis=axis", domain=("positive",)),
    of_stats("hmean", "x; axis=0", "Harmonic mean.", "count(x, axis=axis) / sum(1/x, axis=axis)",
             "a, axis=0, dtype=None, *, weights=None", "a, axis=axis", domain=("positive",)),
    of_stats("variation", "x; axis=0, ddof=0", "Standard deviation over the mean.",
             "std(x, axis=axis, ddof=ddof) / mean(x, axis=axis)", "a, axis=0, *, ddof=0", "a, axis=axis, ddof=ddof",
             domain=("positive",)),

    # --- without what is no number
    without_nan("nansum", "Sum", f"sum({_PRESENT.format(0)}, {_ALONG})", torch=True),
    without_nan("nanprod", "Product", f"prod({_PRESENT.format(1)}, {_ALONG})"),
    without_nan("nanmax", "Largest", f"max({_PRESENT.format('-inf')}, {_ALONG})",
                "axis=None, out=None, keepdims=False"),
    without_nan("nanmin", "Least", f"min({_PRESENT.format('inf')}, {_ALONG})", "axis=None, out=None, keepdims=False"),
    without_nan("nanmean", "Mean", f"sum({_PRESENT.format(0)}, {_ALONG}) / sum(1 - isnan(x), {_ALONG})", torch=True),
    without_nan("nanvar", "Variance", "d = where(isnan(x), 0, x - nanmean(x, axis=axis, keepdims=True));"
                f" sum(d**2, {_ALONG}) / (sum(1 - isnan(x), {_ALONG}) - ddof)",
                "axis=None, dtype=None, out=None, ddof=0, keepdims=False",
                parameters="x; axis=None, ddof=0, keepdims=False"),
    without_nan("nanstd", "Standard deviation", "d = where(isnan(x), 0, x - nanmean(x, axis=axis, keepdims=True));"
                f" vector_norm(d, {_ALONG}) / (sum(1 - isnan(x), {_ALONG}) - ddof)**(1/2)",
                "axis=None, dtype=None, out=None, ddof=0, keepdims=False",
                parameters="x; axis=None, ddof=0, keepdims=False"),
    statistic("nancumsum", "x; axis=None", "Running sums of the entries that are numbers.",
              definition=f"cumsum({_PRESENT.format(0)}, axis=axis)", errors=("nancumsum()", "nancumsum(x, axis=1)"),
              libraries=("np.nancumsum(a, axis=None, dtype=None, out=None) -> nancumsum(a, axis=axis)",),
              spellings={"torch": None}),

    # --- differences
    statistic("diff", "x; n=1, axis=-1", "Differences of neighbours, n times.", build=_difference,
              samples=("diff(x)", "diff(X)", "diff(X, axis=0)", "diff(x, n=2)", "diff(T, 1, 1)"),
              errors=("diff(a)", "diff(x, -1)", "diff(x, axis=1)"),
              libraries=("np.diff(a, n=1, axis=-1, prepend=None, append=None) -> diff(a, n=n, axis=axis)",
                         *(f"{library}diff(a, n=1, axis=-1, *, {words}) -> diff({whole}, n=n, axis=axis)"
                           for library in ("np.", "") for words, whole in _ENDS.items()),
                         "torch.diff(input, n=1, dim=-1, prepend=None, append=None) -> diff(input, n=n, axis=dim)",
                         "np.ediff1d(ary, to_end=None, to_begin=None) -> diff(ravel(ary))",
                         "ediff1d(x) -> diff(ravel(x))"),
              spellings={"numpy": "np.diff(#1, n=#2, axis=#3)", "torch": "torch.diff(#1, n=#2, dim=#3)"}),
    statistic("extended", "x, end; axis=-1, first=True", "An array with more entries before or after it.",
              build=_extended, hidden=True, spellings=NOWHERE,
              samples=("extended(x, a)", "extended(X, v, axis=0, first=False)", "extended(x, v, first=False)")[::2],
              errors=("extended(x, X)",)),
    statistic("central_differences", "x, spacing=1; axis=-1", "Differences of the two neighbours over their distance,"
              " at the ends of one neighbour: `np.gradient` along one axis.", build=_central, spellings=NOWHERE,
              samples=("central_differences(x)", "central_differences(X, a, axis=0)", "central_differences(x, u)"),
              errors=("central_differences(a)", "central_differences(x, v)"),
              libraries=("np.gradient(f, spacing=1, *, axis: None = None, edge_order: 1 = 1)"
                         " -> central_differences(only_vector(f), spacing)",
                         "np.gradient(f, spacing=1, *, axis, edge_order: 1 = 1)"
                         " -> central_differences(f, spacing, axis=axis)",
                         "torch.gradient(input, *, spacing=1, dim: None = None, edge_order: 1 = 1)"
                         " -> (central_differences(only_vector(input), spacing),)",
                         "torch.gradient(input, *, spacing=1, dim, edge_order: 1 = 1)"
                         " -> (central_differences(input, spacing, axis=dim),)")),

    # --- quadrature
    quadrature("trapezoid", "Integral by the trapezoidal rule: over the places x, or at a distance x.", _trapezoid,
               ("trapezoid(dx=1.0", "trapz(dx=1.0", "np.trapezoid(dx=1.0", "np.trapz(dx=1.0",
                "scipy.integrate.trapezoid(dx=1.0",
                "torch.trapezoid(*, dx=1.0", "torch.trapz(*, dx=1.0"), aliases=("trapz",),
             sought=("integrate", "integral", "quad")),
    quadrature("cumulative_trapezoid", "Running integrals by the trapezoidal rule, one less than there are places.",
               _running_trapezoid, ("cumulative_trapezoid(dx=1.0", "scipy.integrate.cumulative_trapezoid(dx=1.0",
                                    "torch.cumulative_trapezoid(*, dx=1.0")),
    quadrature("simpson", "Integral by Simpson's rule over an odd number of places x, or at a distance x.", _simpson,
               ("simpson(dx=1.0", "scipy.integrate.simpson(*, dx=1.0"),
               samples=("simpson(v)", "simpson(v, A[0])", "simpson(X, a, axis=0)", "simpson(X, v, axis=0)"),
               errors=("simpson(x)", "simpson(v, x)")),
)
