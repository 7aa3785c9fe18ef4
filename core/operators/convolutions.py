"""Convolutions, correlations, pooling and windows."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..graph.operator import NOWHERE, Operator
from . import windows

DUMOULIN = "Dumoulin & Visin 2016, A guide to convolution arithmetic for deep learning"


def sliding(name: str, parameters: str, doc: str, build: Any, *samples: str, **fields: Any) -> Operator:
    """Return an operator on sliding windows."""
    return Operator(name, parameters, doc, family="convolutions", build=build, samples=samples, **fields)


def _signal(name: str) -> dict[str, str | None]:
    return {"numpy": f"scipy.signal.{name}(#*)", "torch": None, "jax": f"jax.scipy.signal.{name}(#*)"}


def _networks() -> tuple[Operator, ...]:
    found = []
    layers = {1: ("conv1d(u, v[:2])", "conv1d(X, W[:, None, :2], v, padding=1, groups=3)"),
              2: ("conv2d(X, A[:2, :2])", "conv2d(T, S[None, :, :2, :2], stride=(1, 2), padding=1)"),
              3: ("conv3d(T, S[:, :2, :2])",)}
    for axes, samples in layers.items():
        found.append(sliding(
            f"conv{axes}d", "input, weight, bias=0; stride=1, padding=0, dilation=1, groups=1",
            f"Correlation over {axes} {'axis' if axes == 1 else 'axes'} of batches of channels with kernels, as a layer"
            " of a network; of an array and a kernel alone it is that inside the array.",
            partial(windows.convolution, axes=axes), *samples, errors=(f"conv{axes}d(x)", f"conv{axes}d(x, S[None])"),
            source=DUMOULIN, spellings={"numpy": None, "torch": None, "jax": None},
            libraries=tuple(
                f"{library}conv{axes}d(input, weight, bias{default}, stride=1, padding=0, dilation=1, groups=1)"
                f" -> conv{axes}d(input, weight, {bias}, stride, padding, dilation, groups)"
                for library in ("torch.", "") for default, bias in ((": None = None", 0), ("", "bias"))),
        ))
    transposed = {1: ("conv_transpose1d(u, v[:2], stride=2)", "conv_transpose1d(X, W[:, None, :2], padding=1)"),
                  2: ("conv_transpose2d(X, A[:2, :2])",
                      "conv_transpose2d(T, S[:, None, :2, :2], stride=2, padding=1, output_padding=1)")}
    for axes, samples in transposed.items():
        found.append(sliding(
            f"conv_transpose{axes}d",
            "input, weight, bias=0; stride=1, padding=0, output_padding=0, groups=1, dilation=1",
            f"What carries a cotangent of `conv{axes}d` back to its array.",
            partial(windows.transposed_convolution, axes=axes), *samples,
            errors=(f"conv_transpose{axes}d(x)", f"conv_transpose{axes}d(x, S[None])"), source=DUMOULIN,
            spellings=NOWHERE,
            libraries=tuple(
                f"{library}conv_transpose{axes}d(input, weight, bias{default}, stride=1, padding=0, output_padding=0,"
                " groups=1, dilation=1)"
                f" -> conv_transpose{axes}d(input, weight, {bias}, stride, padding, output_padding, groups, dilation)"
                for library in ("torch.", "") for default, bias in ((": None = None", 0), ("", "bias"))),
        ))
    return tuple(found)


def _pools() -> tuple[Operator, ...]:
    found = []
    for axes, x in ((1, "x"), (2, "X"), (3, "T")):
        few = {1: "2", 2: "(2, 3)", 3: "(1, 2, 2)"}[axes]
        word = "the last axis" if axes == 1 else f"the last {axes} axes"
        found += [
            sliding(f"avg_pool{axes}d",
                    "input; kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,"
                    " divisor_override=None",
                    f"Means over windows on {word}, as far apart as they are long unless a stride is given.",
                    partial(_mean_pooled, axes=axes), f"avg_pool{axes}d({x}, {few})", f"avg_pool{axes}d(T, 2, 1)"
                    if axes < 3 else "avg_pool3d(T, 2, stride=1)",
                    f"avg_pool{axes}d({x}, 2, 1, padding=1, count_include_pad=False)",
                    errors=(f"avg_pool{axes}d({x}, 99)", f"avg_pool{axes}d({x})"),
                    fixed=("ceil_mode", "divisor_override"), spellings=NOWHERE,
                    libraries=(f"F.AvgPool{axes}d(input, kernel_size, stride=None, padding=0, ceil_mode: False = False,"
                               " count_include_pad=True, divisor_override: None = None)"
                               f" -> avg_pool{axes}d(input, kernel_size, stride, padding,"
                               " count_include_pad=count_include_pad)",)),
            sliding(f"max_pool{axes}d",
                    "input; kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False",
                    f"The largest entries of windows on {word}, as far apart as they are long unless a stride is"
                    " given.", partial(_max_pooled, axes=axes), f"max_pool{axes}d({x}, {few})",
                    f"max_pool{axes}d({x}, 2, 1, padding=1)", errors=(f"max_pool{axes}d({x}, 99)",
                    f"max_pool{axes}d({x})"), fixed=("ceil_mode", "return_indices"), spellings=NOWHERE,
                    libraries=(f"F.MaxPool{axes}d(input, kernel_size, stride=None, padding=0, dilation=1,"
                               " return_indices: False = False, ceil_mode: False = False)"
                               f" -> max_pool{axes}d(input, kernel_size, stride, padding, dilation)",)),
            sliding(f"adaptive_avg_pool{axes}d", "input; output_size",
                    f"Means over so many windows on {word}.", partial(windows.adapted, axes=axes, name="mean"),
                    f"adaptive_avg_pool{axes}d({x}, 2)", f"adaptive_avg_pool{axes}d({x}, 1)",
                    errors=(f"adaptive_avg_pool{axes}d({x})", f"adaptive_avg_pool{axes}d({x}, 0)"),
                    spellings=NOWHERE, libraries=(f"F.AdaptiveAvgPool{axes}d(input, output_size)"
                                                  f" -> adaptive_avg_pool{axes}d(input, output_size)",)),
            sliding(f"adaptive_max_pool{axes}d", "input; output_size, return_indices=False",
                    f"The largest entries of so many windows on {word}.",
                    partial(windows.adapted, axes=axes, name="max"), f"adaptive_max_pool{axes}d({x}, 2)",
                    errors=(f"adaptive_max_pool{axes}d({x})", f"adaptive_max_pool{axes}d({x}, 0)"),
                    fixed=("return_indices",), spellings=NOWHERE,
                    libraries=(f"F.AdaptiveMaxPool{axes}d(input, output_size, return_indices: False = False)"
                               f" -> adaptive_max_pool{axes}d(input, output_size)",)),
        ]
    return tuple(found)


def _mean_pooled(x: Any, kernel_size: Any, stride: Any, padding: Any, count_include_pad: bool, *, axes: int) -> Any:
    return windows.pooled(x, kernel_size, stride, padding, 1, count_include_pad, axes=axes, name="mean")


def _max_pooled(x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, *, axes: int) -> Any:
    return windows.pooled(x, kernel_size, stride, padding, dilation, True, axes=axes, name="max")


ENTRIES = (
    sliding("sliding_window_view", "x; window_shape, axis=None",
            "Windows at every place: the places in each are further axes, at the end.", windows.sliding_windows,
            "sliding_window_view(x, 2)", "sliding_window_view(X, (2, 3))", "sliding_window_view(T, 3, axis=-1)",
            errors=("sliding_window_view(x, 9)", "sliding_window_view(X, 2)", "sliding_window_view(x, 0)"),
            libraries=("np.lib.stride_tricks.sliding_window_view(x, window_shape, axis=None)"
                       " -> sliding_window_view(x, window_shape, axis=axis)",),
            spellings={"numpy": "np.lib.stride_tricks.sliding_window_view(#*)", "torch": None, "jax": None}),
    sliding("convolve", "a, v; mode='full'",
            "Convolution of two vectors: wherever they overlap, where one lies in the other ('valid'), or as long as"
            " the longer ('same').", partial(windows.convolved, rank=1, name="convolve"),
            "convolve(x, v)", "convolve(v, x, 'same')", "convolve(x, v, mode='valid')", "convolve(v, x, 'valid')",
            "convolve(x, v[:2], 'same')",
            errors=("convolve(X, v)", "convolve(x, v, 'all')", "convolve(x)"), source=DUMOULIN,
            spellings={"latex": r"#1 * #2", "torch": None},
            libraries=("scipy.signal.convolve(in1, in2, mode='full', method=...) -> convolve_nd(in1, in2, mode)",
                       "scipy.signal.fftconvolve(in1, in2, mode='full') -> convolve_nd(in1, in2, mode)",
                       "scipy.signal.oaconvolve(in1, in2, mode='full') -> convolve_nd(in1, in2, mode)")),
    sliding("correlate", "a, v; mode='valid'",
            "Correlation of two vectors: entry k is the sum of a[n + k] * v[n], where v lies in a ('valid'), as long as"
            " the longer ('same'), or wherever they overlap ('full').",
            partial(windows.correlated, rank=1, name="correlate"),
            "correlate(x, v)", "correlate(x, v, 'same')", "correlate(x, v, 'full')", "correlate(v, x, 'same')",
            "correlate(v, x)", "correlate(v[:2], x, mode='same')",
            errors=("correlate(X, v)", "correlate(x, v, 'all')", "correlate(x)"), source=DUMOULIN,
            spellings={"latex": r"#1 \star #2", "torch": None},
            libraries=("scipy.signal.correlate(in1, in2, mode='full', method=...) -> correlate_nd(in1, in2, mode)",)),
    *(sliding(f"{name}2d", "in1, in2; mode='full', boundary='fill', fillvalue=0", f"{word} of two matrices, as SciPy"
              " has it.", partial(build, rank=2, name=f"{name}2d", scipy=True),
              f"{name}2d(X, A)", f"{name}2d(X, A[:2, :2], 'valid')", f"{name}2d(A, X, 'same')",
              errors=(f"{name}2d(x, A)", f"{name}2d(X, A[:, :1], 'none')"), fixed=("boundary", "fillvalue"),
              source=DUMOULIN, spellings=_signal(f"{name}2d") | {"latex": sign})
      for name, word, build, sign in (
          ("convolve", "Convolution", windows.convolved, "#1 * #2"),
          ("correlate", "Correlation", partial(windows.correlated, late=True), r"#1 \star #2"))),
    *(sliding(f"{name}_nd", "in1, in2; mode='full'", f"{word} over all axes, as SciPy has it.",
              partial(windows.any_rank, build, name=name), f"{name}_nd(X, A)", f"{name}_nd(x, v, 'same')",
              f"{name}_nd(T, T[:1, :2], 'valid')", errors=(f"{name}_nd(X, x)",), hidden=True, spellings=NOWHERE)
      for name, word, build in (("convolve", "Convolution", windows.convolved),
                                ("correlate", "Correlation", windows.correlated))),
    *_networks(),
    *_pools(),
    sliding("unfold", "input; kernel_size, dilation=1, padding=0, stride=1",
            "The windows of images as columns (`im2col`); of one axis they are `sliding_window_view`.",
            windows.columns, "unfold(T, 2)", "unfold(T, (2, 1), padding=1, stride=(1, 2))",
            errors=("unfold(x, 2)", "unfold(T, 9)"), aliases=("im2col",), spellings=NOWHERE,
            libraries=(*(f"torch.{name}(input, dimension, size, step) -> unfold_axis(input, dimension, size, step)"
                         for name in ("Tensor.unfold", "unfold_copy")),
                       "unfold(input, *, dimension, size, step) -> unfold_axis(input, dimension, size, step)")),
    sliding("unfold_axis", "x; dimension, size, step=1", "Windows on one axis, `step` places apart.", windows.unfolded,
            "unfold_axis(x, 0, 2)", "unfold_axis(T, -1, 2, 2)", errors=("unfold_axis(x, 0, 9)",), hidden=True,
            spellings=NOWHERE),
    sliding("fold", "input; output_size, kernel_size, dilation=1, padding=0, stride=1",
            "Images whose windows are given as columns (`col2im`): what overlaps is added.", windows.folded,
            "fold(unfold(T, 2), (3, 4), 2)", "fold(unfold(T, 2, padding=1, stride=2), (3, 4), 2, 1, 1, 2)",
            errors=("fold(x, (3, 4), 2)", "fold(X, (9, 9), 2)"), aliases=("col2im",), spellings=NOWHERE),
)
