"""What the settings read from the environment is what an operator is told of, and can say."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import yaml
from django.conf import settings

ROOT: Final = Path(settings.BASE_DIR)
# What every container of docker-compose.yml is told, in .env or beside it.
COMPOSE_SAYS: Final = {"SHOAL_MODE", "SITE_URL", "ALLOWED_HOSTS", "TRUSTED_PROXIES", "HTTPS"} | {
    *("SSL_REDIRECT", "DATABASE_URL", "REDIS_URL"),
    *("MEDIA_ROOT", "PRIVATE_ROOT", "STATIC_ROOT", "BEAT_FILE"),
}
# Chosen in the image's place of work only: a container neither files its mail nor sends otherwise.
OWN_SET_UP: Final = {"EMAIL_BACKEND", "EMAIL_FILE_PATH"}
# Read by docker-compose.yml alone.
OF_COMPOSE: Final = {"SITE_HOST", "POSTGRES_PASSWORD"}


def read_by(source: str) -> set[str]:
    """The names a module asks the environment for: `env.str("NAME")`, `required("NAME", …)`."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name, asked = node.args[0], node.func
        asks = (isinstance(asked, ast.Name) and asked.id == "required") or (
            isinstance(asked, ast.Attribute)
            and isinstance(asked.value, ast.Name)
            and asked.value.id == "env"
        )
        if asks and isinstance(name, ast.Constant):
            found.add(str(name.value))
    return found


def known() -> set[str]:
    return read_by((ROOT / "config" / "settings.py").read_text(encoding="utf-8"))


def example() -> set[str]:
    """The names of env.example, also those commented out."""
    text = (ROOT / "config" / "deploy" / "env.example").read_text(encoding="utf-8")
    return set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", text, re.M))


def test_names_are_found_as_settings_ask_for_them():
    source = 'A = env.int("A", 1)\nB = required("B", "b")\nC = other.str("C")\nD = env.bool(name)'
    assert read_by(source) == {"A", "B"}
    assert {"SECRET_KEY", "OLD_HOSTS", "NOTIFY_PUSH_DELAY_SECONDS"} <= known()


def test_every_setting_can_be_given_to_the_containers():
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    shoal = compose["x-shoal"]
    assert shoal["env_file"] == ".env"
    for name in ("web", "sockets", "worker", "beat", "migrate"):
        assert compose["services"][name]["env_file"] == ".env"
        assert set(shoal["environment"]) <= set(compose["services"][name]["environment"])
    assert set(shoal["environment"]) >= COMPOSE_SAYS
    assert example() == (known() - COMPOSE_SAYS - OWN_SET_UP) | OF_COMPOSE
    # What stands in both would be said in vain in .env, unless it is handed on.
    handed_on = {name for name, value in shoal["environment"].items() if f"${{{name}" in str(value)}
    assert example() & set(shoal["environment"]) <= handed_on


def test_every_setting_is_told_of_in_the_docs():
    told = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md"))
    assert {name for name in known() if not re.search(rf"\b{name}\b", told)} == set()


def test_the_image_holds_all_that_settings_point_at():
    image = (ROOT / "config" / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    copied = set(re.findall(r"^COPY (\w+) \1$", image, re.M))
    folders = {"config", "community", "commerce", "moderation", "templates", "static", "locale"}
    assert copied == folders
    assert {path.name for path in (*settings.LOCALE_PATHS, *settings.STATICFILES_DIRS)} <= copied
