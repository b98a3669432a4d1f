from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext

from guestbook.models import Entry


def book(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        Entry.objects.create(author=request.POST["author"], text=request.POST["text"])
    context = {
        "entries": Entry.objects.order_by("id"),
        "motto": Path(__file__).with_name("motto.txt").read_text(encoding="utf-8").strip(),
        "yes": gettext("Yes"),
    }
    return render(request, "book.html", context)


urlpatterns = [path("", book)]
