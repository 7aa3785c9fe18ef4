"""Builds what pyproject.toml cannot describe: the parser's tables, which go into the wheel."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


def tables() -> ModuleType:
    """Load `grammar/tables.py` from here: the package itself is not installed yet."""
    sys.path.insert(0, str(ROOT))
    try:
        return import_module("grammar.tables")
    finally:
        sys.path.remove(str(ROOT))


class BuildWithTables(build_py):
    """Copies the package, then writes the tables beside the grammar."""

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        """Return the modules of a package; this file stands among them, and is none."""
        found: list[tuple[str, str, str]] = super().find_package_modules(package, package_dir)
        return [module for module in found if module[1] != "setup"]

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            tables().write_tables(Path(self.build_lib, "matgrad", "grammar", "expression.tables"))


setup(cmdclass={"build_py": BuildWithTables})
