"""The words of the commands: what they do, how they end, examples that can be typed."""

from __future__ import annotations

from typing import NamedTuple

SUMMARY = """Derivatives of matrix expressions: the closed form, the numbers, and a check that both are right.

Names without a value get random numbers, so every command works with the expression alone."""

EXIT_STATUS = (
    ("0", "done"),
    ("1", "the check does not hold"),
    ("2", "usage: options, commands"),
    ("3", "the expression: syntax, names, shapes"),
    ("4", "the inputs: files, JSON, missing or not finite; a full disk"),
    ("5", "evaluation: singular, out of the domain, too large"),
    ("70", "a bug in matgrad"),
)

WELCOME = """matgrad: derivatives of matrix expressions

  matgrad jacobian "a*b" --wrt b                    with random a and b
  matgrad grad "x.T @ A @ x" --wrt x -v x="[1, 2]" -v A="[1 2; 3 4]"
  matgrad hessian "norm(A @ x - b)**2" --wrt x < inputs.json
  matgrad functions                                 what can be written

matgrad --help lists the commands, matgrad COMMAND --help explains one."""


class CommandText(NamedTuple):
    """The words of a command: what it does in a line and at length, and examples that can be typed."""

    summary: str
    text: str
    examples: tuple[str, ...]
    direction: str = ""
    computes: bool = True


COMMANDS = {
    "value": CommandText(
        "Evaluate an expression.",
        "Evaluate an expression, or several statements of which the last is the result.",
        ('matgrad value "x.T @ A @ x" -v x="[1, 2]" -v A="[1 2; 3 4]"', 'matgrad value "inv(A) @ b" < inputs.json'),
    ),
    "grad": CommandText(
        "The gradient of a number.",
        "The gradient of an expression that is a number: an array of the shape of each name.",
        ('matgrad grad "x.T @ A @ x" --wrt x', 'matgrad grad "sum(log(1 + exp(-y*(X @ w))))" --wrt w -i data.npz'),
    ),
    "jacobian": CommandText(
        "All partial derivatives of any expression.",
        "All partial derivatives of an expression of any shape: the axes of the output, then those of the name.",
        ('matgrad jacobian "a*b" --wrt b', 'matgrad jacobian "A @ X @ B" --wrt X --shape X=3x2'),
    ),
    "hessian": CommandText(
        "Second derivatives, by one name or by two.",
        "Second derivatives: the axes of the output, then those of the name twice. Two names are mixed: "
        "--wrt X --wrt Y is d/dY[d/dX].",
        ('matgrad hessian "norm(x)**2" --wrt x', "matgrad hessian \"norm(X @ X @ Y, 'fro')\" --wrt Y --wrt X"),
    ),
    "derivative": CommandText(
        "Derivatives of any order.",
        "The derivative by each name in turn, of any order: the axes of the output, then those of each name.",
        ('matgrad derivative "sum(x**4)" --wrt x --wrt x --wrt x',),
    ),
    "jvp": CommandText(
        "The Jacobian times a tangent.",
        "How the output changes along a tangent: the Jacobian times the tangent, without the Jacobian.",
        ('matgrad jvp "sin(x)" --wrt x --tangent ones', 'matgrad jvp "inv(A)" --wrt A --tangent "[1 0; 0 1]"'),
        direction="tangent",
    ),
    "vjp": CommandText(
        "A cotangent times the Jacobian.",
        "A cotangent times the Jacobian, of the shape of the name, without the Jacobian.",
        ('matgrad vjp "sin(x)" --wrt x --cotangent ones',),
        direction="cotangent",
    ),
    "hvp": CommandText(
        "The Hessian times a tangent.",
        "The Hessian times a tangent, without the Hessian.",
        ('matgrad hvp "sum(exp(A @ x))" --wrt x --tangent ones',),
        direction="tangent",
    ),
    "formula": CommandText(
        "The derivative as a formula, in LaTeX, or as code.",
        "The closed form of a derivative: as text that matgrad reads again, in LaTeX, or as a function for NumPy, "
        "PyTorch or JAX that returns the value and the derivative. Without --kind it is the gradient of a number and "
        "the Jacobian of anything else.",
        (
            'matgrad formula "x.T @ A @ x" --wrt x',
            'matgrad formula "logdet(X)" --wrt X --to latex',
            'matgrad formula "norm(A @ x - b)**2" --wrt x --kind hessian --to numpy',
        ),
    ),
    "check": CommandText(
        "Is a derivative right: your own, or matgrad's.",
        "Compare the derivative that you claim with the right one at random inputs, and say what it is instead where "
        "it is wrong: transposed, summed, per sample, ... Without --claim, compare matgrad's own derivative with "
        "differences of the value. The exit status is 1 where they disagree.",
        (
            'matgrad check "x.T @ A @ x" --wrt x --claim "(A + A.T) @ x"',
            'matgrad check "logdet(A)" --wrt A --shape A=4x4',
        ),
    ),
    "explain": CommandText(
        "How a derivative comes about, step by step.",
        "The expression with its shapes, the differential of each part, the derivative that is read off, and what "
        "its structure means.",
        ('matgrad explain "x.T @ A @ x" --wrt x', 'matgrad explain "softmax(A @ x)" --wrt x'),
    ),
    "functions": CommandText(
        "What can be written, with rule, source and example.",
        "List the functions of the language, those of a topic or about some words, or explain one: how it is called, "
        "its derivative rule, its domain, where it is not differentiable, its names in libraries, and an example.",
        ("matgrad functions", "matgrad functions normal", "matgrad functions torch.nn.functional.gelu"),
        computes=False,
    ),
    "completion": CommandText(
        "Print a script that completes commands, options and names.",
        "Print a script that makes a shell complete commands, options, files, and the names in the expression.",
        (
            'eval "$(matgrad completion bash)"      # in ~/.bashrc',
            'eval "$(matgrad completion zsh)"       # in ~/.zshrc',
            "matgrad completion fish > ~/.config/fish/completions/matgrad.fish",
        ),
        computes=False,
    ),
}
