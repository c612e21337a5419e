"""What `application.conf` may say of other servers that share the work."""

import socket

from pydantic import Field

from coqui_server.config.section import Duration, Key, Section


class ClusterSettings(Section):
    """Several servers on one PostgreSQL and one Redis. `redis` may hold a password, so it is shown
    nowhere."""

    redis: Key = Field(None, description="redis://host:6379/0, or null for one server alone")
    """The Redis through which several servers know of each other; null is one server alone. It is
    never shown."""
    replica: str = Field(
        "",
        max_length=100,
        pattern=r"^[\w.-]*$",
        description='a name of letters, digits, ".", "-" and "_", or "" for the name of the host',
    )
    """What this server is called among the others; "" is the name of its host."""
    lease: Duration = Field(20.0, ge=1, description='a duration such as "20 s", at least 1 s')
    """A server that the database has not heard of for this long is taken for dead. Its sessions
    are then closed as interrupted."""

    @property
    def url(self) -> str | None:
        """The address of Redis; None for one server alone."""
        return (self.redis.get_secret_value() or None) if self.redis else None

    @property
    def name(self) -> str:
        """What this server is called."""
        return self.replica or socket.gethostname()
