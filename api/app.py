"""The web application: the status API, the pages, and whatever is mounted beside them."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from api import connections, definitions, failed_rows, health, job_rows, jobs, problem_pages, uploads
from api.bodies import BodyLimit
from api.context import Context
from api.documentation import DocumentedApp
from api.error_handlers import handle_errors
from api.faces import mount_faces
from api.health_check import HealthCheck
from api.keys import KnownKeys
from api.pages import pages_router
from api.request_log import RequestLog
from schemas.settings import Settings
from schemas.signing import signer_of
from store.database import Store
from tasks.invoke import warm_up
from tasks.shipped import keep_shipped_definitions


def create_app(settings: Settings) -> FastAPI:
    """The app of this home; the job store is opened when it starts, and `app.state.context` is there then."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with Store.opened(settings) as store:
            keep_shipped_definitions(store)
            health_check = HealthCheck(settings, store)
            app.state.context = Context(settings, store, signer_of(settings), KnownKeys(), health_check)
            # Whoever answers soon after the start does not wait for it.
            threading.Thread(target=warm_up, daemon=True, name="warm-up").start()
            yield

    app = DocumentedApp(
        title="Lading",
        version=version("lading"),
        lifespan=lifespan,
        # The pages that come with FastAPI load their scripts from other hosts.
        docs_url=None,
        redoc_url=None,
        # A redirect would be made of the request's Host header.
        redirect_slashes=False,
    )
    for room in (uploads, jobs, job_rows, failed_rows, definitions, connections, problem_pages, health):
        app.include_router(room.router)
    app.include_router(pages_router())
    mount_faces(app, settings)
    handle_errors(app)
    app.add_middleware(BodyLimit, limit_bytes=settings.upload_limit_bytes)
    app.add_middleware(RequestLog)
    return app
