from django.test import TestCase

from django_manage.notes.models import Note


class Notes(TestCase):
    def test_page(self):
        self.assertEqual(self.client.get("/").content, b"aa\n")

    def test_note(self):
        Note.objects.create(text="a")
        self.assertEqual(Note.objects.count(), 1)
