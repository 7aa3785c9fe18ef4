"""Builds what pyproject.toml cannot describe: lark's stand-alone parser, which goes into the wheel."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

GRAMMAR = Path(__file__).with_name("grammar") / "expression.lark"
# Lines at the top of the stand-alone parser: one that only parses unpacks no compressed tables and writes no log, and
# to make ready for both takes as long as to load the parser itself.
NEVER_USED = rb"(?m)^(import pickle|import logging|logger).*\n"


def write_parser(path: Path) -> None:
    """Write the stand-alone parser: `write_parser(Path("build/lib/matgrad/grammar/standalone.py"))`."""
    tool = [sys.executable, "-X", "utf8", "-m", "lark.tools.standalone", "--propagate_positions", str(GRAMMAR)]
    made = subprocess.run(tool, check=True, capture_output=True)
    path.write_bytes(b"# mypy: ignore-errors\n" + re.sub(NEVER_USED, b"", made.stdout))


class BuildWithParser(build_py):
    """Copies the package, then writes the parser beside the grammar."""

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        """Return the modules of a package; this file stands among them, and is none."""
        found: list[tuple[str, str, str]] = super().find_package_modules(package, package_dir)
        return [module for module in found if module[1] != "setup"]

    def run(self) -> None:
        """Copy the modules, then write the parser; an editable install needs none."""
        super().run()
        if not self.editable_mode:
            write_parser(Path(self.build_lib, "matgrad", "grammar", "standalone.py"))


if __name__ == "__main__":
    setup(cmdclass={"build_py": BuildWithParser})
