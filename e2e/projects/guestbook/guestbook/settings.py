from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent

SECRET_KEY = "only for tests"
ROOT_URLCONF = "guestbook.urls"
ALLOWED_HOSTS = ["testserver"]
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "guestbook"]
MIDDLEWARE = ["django.middleware.locale.LocaleMiddleware"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {"context_processors": []},
    }
]
USE_TZ = False
TIME_ZONE = None
