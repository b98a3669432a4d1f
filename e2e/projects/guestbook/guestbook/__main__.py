"""Migrate a database in memory, write an entry over HTTP and print the page, all in this process."""

import os

import django
from django.core.management import call_command
from django.test import Client


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "guestbook.settings"
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    client = Client(headers={"accept-language": "de"})
    client.post("/", {"author": "Ada", "text": "<hello>"})
    response = client.get("/")
    print(response.status_code)
    print(response.content.decode(), end="")


if __name__ == "__main__":
    main()
