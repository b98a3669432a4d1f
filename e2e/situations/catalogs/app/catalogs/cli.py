import gettext
import os

LOCALE = os.path.join(os.path.dirname(__file__), "locale")


def main():
    found = gettext.find("app", LOCALE)
    print(os.path.relpath(found, LOCALE), gettext.find("app", LOCALE, ["fr"]))
    print(gettext.translation("app", LOCALE).gettext("hello"))
    gettext.install("app", LOCALE)
    print(_("hello"), _("unknown"))
    gettext.bindtextdomain("app", LOCALE)
    print(gettext.dgettext("app", "hello"))
