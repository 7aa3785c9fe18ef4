"""Activations of neural networks: each is a formula, by the words of PyTorch and JAX."""

from __future__ import annotations

from ..graph.operator import Operator

ENTRIES = (
    # JAX takes the approximation unless it is told not to.
    Operator("gelu", "x; approximate='none'", "x times the normal distribution function of x, or its approximation by"
             " tanh.", family="activations",
             definition={"none": "x*ndtr(x)", "tanh": "x/2*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))"},
             source="Hendrycks & Gimpel 2016, Gaussian Error Linear Units (GELUs)",
             samples=("gelu(x)", "gelu(X, 'tanh')", "gelu(a, approximate='tanh')"),
             errors=("gelu()", "gelu(x, 'erf')"),
             spellings={"numpy": None, "torch": "torch.nn.functional.gelu(#1, approximate=#2)",
                        "jax": "jax.nn.gelu(#1, approximate=#2 == 'tanh')"},
             libraries=("jax.nn.gelu(x, approximate: True = True) -> gelu(x, approximate='tanh')",
                        "jax.nn.gelu(x, approximate: False) -> gelu(x)",
                        "tf.nn.gelu(features, approximate: False = False) -> gelu(features)",
                        "tf.nn.gelu(features, approximate: True) -> gelu(features, approximate='tanh')")),
)
