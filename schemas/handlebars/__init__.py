"""Handlebars templates: paths, a closed list of helpers and blocks, and a limit on what a template may make.

Why no library does it: docs/decisions/0009.
"""

from schemas.handlebars.scope import Scope, TemplateError
from schemas.handlebars.template import Template

__all__ = ["Scope", "Template", "TemplateError"]
