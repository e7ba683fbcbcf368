"""The pages under `/ui`, for people: rendered here, light, and of use without JavaScript."""

from api.pages.job_links import job_link
from api.pages.router import pages_router

__all__ = ["job_link", "pages_router"]
