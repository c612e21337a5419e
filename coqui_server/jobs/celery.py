"""The application of a worker, where Celery looks for it.

    celery -A coqui_server.jobs.celery worker

is a worker with the configuration of `COQUI_CONFIG`, or else `application.conf`; `coqui-server
worker --config PATH` is the same. Options of Celery's worker may follow.
"""

import os
from pathlib import Path

from celery import Celery

from coqui_server.config import loading
from coqui_server.exceptions import ConfigError
from coqui_server.jobs.opening import check_worker
from coqui_server.jobs.process import unusable, worker


def __getattr__(name: str) -> Celery:
    """Make the application when it is asked for."""
    if name != "app":
        raise AttributeError(name)
    path = os.environ.get("COQUI_CONFIG")
    try:
        settings, _ = loading.load(Path(path) if path else None)
        check_worker(settings)
    except ConfigError as error:
        raise unusable(error) from error
    return worker(settings)
