"""The other spellings of a tree: LaTeX, and Python for NumPy, PyTorch and JAX.

Here are the forms of names, signs and brackets. How a function is written is said where the function is declared, as
a template with slots (`np.linalg.slogdet(#1)[1]`); `with_functions` adds such templates to a spelling.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from .syntax import Call, Keyword, Literal, Name, Node, Number, String
from .vocabulary import words
from .writer import COMPARISON, LOOSE, MATRIX_PRODUCT, NUMBER, POSTFIX, POWER, PRODUCT, SUM, TEXT, Form, Spelling

INDEX = "index"
"""The prefix of a name that is a run of index letters: `ik` in the subscript of a sum."""


# --- Python ----------------------------------------------------------------------------------------------------------


def _python(library: str, keywords: Mapping[str, str]) -> Spelling:
    """Return the spelling of a library: `library` stands in front of what has no template."""

    def word(node: Node) -> str:
        match node:
            case Name(name, prefix) if prefix:
                return f"2*{library}.pi" if name == "tau" else f"{library}.{name}"
            case Keyword(name=name):
                return keywords.get(name, name)
        return TEXT.word(node)

    return Spelling({**TEXT.forms, "Call": Form(f"{library}.#name(#*)")}, word)


NUMPY = _python("np", {})
"""Python with NumPy as `np`."""

JAX = _python("jnp", {})
"""Python with jax.numpy as `jnp`."""

TORCH = _python("torch", {"axis": "dim", "keepdims": "keepdim", "axis1": "dim1", "axis2": "dim2", "k": "diagonal"})
"""Python with PyTorch."""


def with_functions(spelling: Spelling, templates: Mapping[str, str]) -> Spelling:
    """Return a spelling that writes functions by templates, by name of the function.

    Example: `with_functions(NUMPY, {"inv": "np.linalg.inv(#1)"})`. A slot that is not between brackets or commas, as
    in `#1.T`, gets brackets around what binds less than a postfix.
    """
    forms = {f"Call {name}": _function(template) for name, template in templates.items()}
    return spelling._replace(forms={**spelling.forms, **forms})


def _function(template: str) -> Form:
    slots = {int(match[1]): match for match in re.finditer(r"#(\d)", template)}
    demands = tuple(_demand(template, slots[number]) for number in sorted(slots))
    # What ends in a superscript cannot take another one without brackets.
    raised = re.search(r"\^\{[^{}]*\}$|^(?!\\).*[^,] #\d", template)
    return Form(template, POWER if raised else POSTFIX, demands)


def _demand(template: str, slot: re.Match[str]) -> int:
    before, after = template[: slot.start()].rstrip(), template[slot.end() :].lstrip()
    opened = before.endswith(("(", "{", "[", ",", "=", "|", r"\Vert"))
    return LOOSE if opened and after.startswith((")", "}", "]", ",", r"\right")) else POSTFIX


# --- LaTeX -----------------------------------------------------------------------------------------------------------

GREEK = words(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
    "omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
)
_LATEX_CONSTANTS = {"pi": r"\pi", "inf": r"\infty", "e": r"\mathrm{e}", "nan": r"\mathrm{nan}", "tau": r"2 \pi"}
_ESCAPED = str.maketrans({"_": r"\_", "&": r"\&", "%": r"\%", "#": r"\#", "$": r"\$"})


def latex_name(name: str) -> str:
    r"""Return a name in LaTeX: `latex_name("alpha_1")` is `\alpha_{1}`, digits at the end become a subscript."""
    head, *subscripts = [part for part in _plain(name).split("_") if part] or [""]
    match = re.fullmatch(r"(.*?[^\d])(\d+)", head)
    if match:
        head, subscripts = match[1], [match[2], *subscripts]
    below = ",".join(_symbol(part) for part in subscripts)
    return f"{_symbol(head)}_{{{below}}}" if below else _symbol(head)


def _plain(name: str) -> str:
    """Spell Greek letters out and turn subscript digits into digits."""
    letters = []
    for letter in unicodedata.normalize("NFKC", name):
        match = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER (?:.* )?(\w+)", unicodedata.name(letter, ""))
        greek = match[2].lower().replace("lamda", "lambda") if match else ""
        if match and match[1] == "CAPITAL":
            greek = greek.capitalize()
        letters.append(greek if greek in GREEK else letter)
    return "".join(letters)


def _symbol(part: str) -> str:
    if part in GREEK:
        return "\\" + part
    return part if len(part) == 1 or part.isdigit() else f"\\mathrm{{{part.translate(_ESCAPED)}}}"


def _number(text: str) -> str:
    mantissa, _, exponent = text.lower().partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else text


def _latex_word(node: Node) -> str:
    match node:
        case Number(text):
            return _number(text)
        case Name(name, prefix):
            return name if prefix == INDEX else _LATEX_CONSTANTS.get(name, name) if prefix else latex_name(name)
        case String(value):
            return value.translate(_ESCAPED)
        case Keyword(name=name):
            return _symbol(name)
        case Literal(value):
            return r"\ldots" if value is ... else rf"\mathrm{{{value}}}"
        case Call(function=name):
            return name.removeprefix("general ").translate(_ESCAPED)
    return TEXT.word(node).translate(_ESCAPED)


_FUNCTIONS = words("exp log sin cos tan sinh cosh tanh arcsin arccos arctan det max min")
RELATIONS = {"<": "<", "<=": r"\leq", ">": ">", ">=": r"\geq", "==": "=", "!=": r"\neq"}

LATEX = Spelling(
    {
        **TEXT.forms,
        "String": Form(r"\mathrm{#name}"),
        "Binary @": Form("#1 #2", PRODUCT, (PRODUCT, POWER)),
        "Binary *": Form(r"#1 \, #2", PRODUCT, (PRODUCT, POWER)),
        "Binary scale": Form("#1 #2", PRODUCT, (PRODUCT, PRODUCT)),
        "Binary dot": Form(r"#1 \cdot #2", PRODUCT, (PRODUCT, POWER)),
        "Binary hadamard": Form(r"#1 \odot #2", MATRIX_PRODUCT, (MATRIX_PRODUCT, PRODUCT)),
        "Binary divide": Form(r"#1 \oslash #2", MATRIX_PRODUCT, (MATRIX_PRODUCT, PRODUCT)),
        "Binary /": Form(r"\frac{#1}{#2}", POWER),
        "Binary //": Form(r"\left\lfloor \frac{#1}{#2} \right\rfloor"),
        "Binary %": Form(r"#1 \;\mathrm{mod}\; #2", MATRIX_PRODUCT, (PRODUCT, POWER)),
        "Binary spaced": Form(r"#1 \, #2", PRODUCT, (PRODUCT, POWER)),
        "Binary spaced /": Form(r"\frac{#1}{#2}", POWER),
        "Binary **": Form("#1^{#2}", POWER, (NUMBER, LOOSE)),
        "Binary elementwise **": Form(r"#1^{\circ #2}", POWER, (NUMBER, POWER)),
        "Binary +": Form("#1 + #2", SUM, (SUM, MATRIX_PRODUCT)),
        "Unary -": Form("-#1", SUM, (MATRIX_PRODUCT,)),
        **{
            f"Binary {sign}": Form(rf"\left[#1 {relation} #2\right]", POSTFIX, (COMPARISON, SUM))
            for sign, relation in RELATIONS.items()
        },
        **{
            f"Binary bare {sign}": Form(f"#1 {relation} #2", COMPARISON, (SUM, SUM))
            for sign, relation in RELATIONS.items()
        },
        "Call where": Form(r"\begin{cases} #2 & \text{if } #1 \\ #3 & \text{otherwise} \end{cases}"),
        "Number": Form("#name", NUMBER),
        "Attribute": Form(r"#1^{\top}", POWER, (POSTFIX,)),
        "Call": Form(r"\operatorname{#name}\left(#*\right)"),
        **{f"Call {name}": Form(rf"\{name}\left(#*\right)") for name in _FUNCTIONS},
        "Call brackets": Form(r"\left(#1\right)"),
        "Call eye": Form(r"I_{#*}"),
        "Call ones": Form(r"\mathbf{1}_{#*}"),
        "Call commutation_matrix": Form(r"\mathbf{K}_{#*}"),
        "Call all ones": Form(r"\mathbf{1}"),
        "Call kron": Form(r"#1 \otimes #2", MATRIX_PRODUCT, (POWER, POWER)),
        "Call zeros": Form(r"\mathbf{0}_{#*}"),
        "Binary times": Form(r"#1 \times #2", SUM, (SUM, PRODUCT)),
        "Call norm": Form(r"\left\Vert #1 \right\Vert_{2}"),
        "Call frobenius": Form(r"\left\Vert #1 \right\Vert_{F}"),
        "Call nuclear": Form(r"\left\Vert #1 \right\Vert_{*}"),
        "Call norm of order": Form(r"\left\Vert #1 \right\Vert_{#2}"),
        "Call inverse transpose": Form(r"#1^{-\top}", POWER, (POSTFIX,)),
        "Call subscript": Form("#1_{#2}", POSTFIX, (POSTFIX, LOOSE)),
        "Call entries": Form(r"\left[#1\right]_{#2}"),
        "Call sum over": Form(r"\sum_{#2} #1", MATRIX_PRODUCT, (PRODUCT, LOOSE)),
        "Binary beside": Form("#1 & #2", LOOSE, (LOOSE, LOOSE)),
        "Binary above": Form(r"#1 \\ #2", LOOSE, (LOOSE, LOOSE)),
        "Call matrix": Form(r"\begin{pmatrix} #1 \end{pmatrix}", POSTFIX, (LOOSE,)),
        "Call wide matrix": Form(r"\left(\begin{array}{#1} #2 \end{array}\right)", POSTFIX, (LOOSE, LOOSE)),
        "ListLiteral": Form(r"\left[#*\right]"),
        "TupleLiteral": Form(r"\left(#*\right)"),
        "TupleLiteral 1": Form(r"\left(#1\right)"),
    },
    word=_latex_word,
    brackets=r"\left(#1\right)",
)
"""LaTeX; trees must first be put into the words of LaTeX (`hadamard` for `*` between arrays)."""
