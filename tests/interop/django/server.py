"""django-oauth-toolkit with one public client, on http://localhost:8182/o. The database is new at each start."""

import pathlib
import sys

import django
from django.conf import settings

FOLDER = pathlib.Path(sys.argv[1])
DATABASE = FOLDER / "interop.sqlite3"
REDIRECT_PATH = "cHTUXykgNbj92AW1YiyUbw"

TEMPLATE = """<!doctype html><title>Sign in</title>
<form method="post">{% csrf_token %}{{ form }}<input type="submit" value="Sign in"></form>"""

settings.configure(
    DEBUG=True,
    SECRET_KEY="interop",
    ALLOWED_HOSTS=["localhost"],
    ROOT_URLCONF=__name__,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATABASE,
            # Revocations come together: a transaction waits for the other one.
            "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
        }
    },
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "oauth2_provider",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                ],
                "loaders": [
                    ("django.template.loaders.locmem.Loader", {"registration/login.html": TEMPLATE}),
                    "django.template.loaders.app_directories.Loader",
                ],
            },
        }
    ],
    LOGIN_URL="/accounts/login/",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
    OAUTH2_PROVIDER={
        "SCOPES": {"qod": "Faster data session", "location": "Location of your phone"},
        "ACCESS_TOKEN_EXPIRE_SECONDS": 60,
        "OAUTH2_RESPONSE_TYPES_SUPPORTED": ["code"],
        "OAUTH2_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED": ["none"],
    },
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.contrib.auth.views import LoginView  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.urls import include, path  # noqa: E402
from oauth2_provider.models import get_application_model  # noqa: E402
from oauth2_provider.urls import metadata_urlpatterns  # noqa: E402

urlpatterns = [
    path("accounts/login/", LoginView.as_view()),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("", include((metadata_urlpatterns, "root_metadata"))),
]

DATABASE.unlink(missing_ok=True)
call_command("migrate", verbosity=0)
User.objects.create_user("alice", password="correct horse")
Application = get_application_model()
Application.objects.create(
    client_id="interop-app",
    name="Interop application",
    client_type=Application.CLIENT_PUBLIC,
    authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
    redirect_uris=" ".join(
        [
            f"https://nkcaacnhigngakebhebaldnbghooogac.chromiumapp.org/{REDIRECT_PATH}",
            f"https://83f425f2377c3d66489666a028ecfaceffcf6e28.extensions.allizom.org/{REDIRECT_PATH}",
        ]
    ),
)
call_command("runserver", "127.0.0.1:8182", use_reloader=False, skip_checks=True)
