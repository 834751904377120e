#!/usr/bin/env python
"""Run Shoal's management commands."""

import os
import sys

if __name__ == "__main__":
    if sys.argv[1:2] == ["demo"]:
        # Before Django: the demo first starts the database that the settings then name.
        from config.demo import main

        sys.exit(main(sys.argv[2:]))

    if sys.argv[1:2] == ["rehearse"] and "DATABASE_URL" not in os.environ:
        from config.rehearsal.throwaway import main as rehearse

        sys.exit(rehearse(sys.argv[2:]))

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
