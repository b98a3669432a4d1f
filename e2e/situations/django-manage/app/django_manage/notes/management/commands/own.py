from django.core.management.base import BaseCommand

from django_manage.notes.models import Note


class Command(BaseCommand):
    help = "Keeps a note."

    def add_arguments(self, parser):
        parser.add_argument("text")

    def handle(self, *, text, **_):
        Note.objects.create(text=text)
        self.stdout.write(f"kept {Note.objects.get().text}")
