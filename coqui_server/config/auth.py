"""What `application.conf` may say of accounts."""

from pydantic import Field

from coqui_server.config.section import Duration, Section


class AuthSettings(Section):
    """Who may come in. The first account can always be made, and is an administrator's."""

    required: bool = Field(False, description="true or false")
    """Pages, REST and sockets are only for those who signed in or have a token."""
    signup: bool = Field(True, description="true or false")
    """People may make accounts themselves. The first account can be made in any case."""
    metrics: bool = Field(False, description="true or false")
    """`/metrics` is open to all, also where signing in is required."""
    docs: bool = Field(False, description="true or false")
    """`/docs` and `/redoc` are open to all, also where signing in is required."""
    age: Duration = Field(
        30 * 86400.0, gt=0, description='a duration such as "30 days", more than 0'
    )
    """How long a sign-in lasts."""
