"""From a request to its answer on the screen or in a file."""

from __future__ import annotations

from ...core.errors import UsageProblem
from .questions import given_inputs, problem_of, wishes_of
from .request import Request
from .telling import announce, failed, in_pieces, refuse_failed, write


def compute(kind: str, request: Request) -> int:
    """Answer a request and write the answer; the exit status."""
    if request.resume and request.output in (None, "-"):
        helps = ["-o FILE: what is done so far is kept beside it"]
        raise UsageProblem("there is no file to resume", place="--resume", helps=helps)
    problem = problem_of(kind, request)
    if problem.batch and (request.cluster or any("@" in text for text in request.variables)):
        from .samples import in_blocks

        status = in_blocks(kind, problem, request)
        if status is not None:
            return status
    from ...core.session import answer

    wishes = wishes_of(problem, request)
    if request.cluster is not None and not (wishes.compressed == "always" and request.output):
        raise _no_blocks(request.cluster)
    inputs, surplus = given_inputs(problem, request)
    found = answer(problem, inputs, wishes)
    if request.cite:
        from ...core.explanation.citation import cited

        found = cited(problem, found)
    found = found._replace(warnings=[*surplus, *found.warnings])
    if in_pieces(found, request):
        from .pieces import write_pieces

        announce(found, request)
        write_pieces(problem, found, request)
    else:
        write(found, request)
    refuse_failed(kind, failed(found.results))
    return 0


def _no_blocks(cluster: str) -> UsageProblem:
    """Return the error for a question that is not answered in blocks."""
    helps = [
        "sums over samples: --batch X --reduce sum -v X=@X.npy",
        "one result for each sample, or a large Jacobian, in a file: -o J.zarr",
    ]
    return UsageProblem("a cluster computes blocks, and this has none", place=f"--cluster {cluster}", helps=helps)
