#!/usr/bin/env python
"""Django's command line."""

import os
import sys

if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:  # the supervisor lives long and stays small: it never loads Django
        from config.run import main

        sys.exit(main(sys.argv[2:]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
