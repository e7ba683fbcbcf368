"""The pages under `/ui`, for people: rendered here, light, and of use without JavaScript."""

from api.pages.router import pages_router

__all__ = ["pages_router"]
