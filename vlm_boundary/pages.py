"""Pages of HTML that ship with the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Template


def page_template(package: str, name: str) -> Template:
    """A template beside a package's code; what is put into it is shown as text, never as markup.

    Args:
        package: as in `vlm_boundary.report`.
        name: of the file, in the package's folder.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(package, "."),
        autoescape=True,  # names, answers and reasons come from users, models and strangers' files
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
