"""Jobs on Celery workers: real processes, Redis and PostgreSQL."""
