"""Settings of the Django project: fixed, without a database, a session or a secret that outlives the process."""

from __future__ import annotations

import secrets
from typing import Final

DEBUG: Final = False
SECRET_KEY: Final = secrets.token_urlsafe(50)  # nothing is signed with it that must survive a restart
ALLOWED_HOSTS: Final = ["localhost", "127.0.0.1", "[::1]"]  # ``serve`` adds the name it listens on
ROOT_URLCONF: Final = "lienthong.portal.urls"
DATABASES: Final[dict[str, object]] = {}
INSTALLED_APPS: Final = ["django.contrib.staticfiles", "django_htmx", "lienthong.portal"]

MIDDLEWARE: Final = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",  # refuses host names that are not ours
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "lienthong.portal.failures.FailureMiddleware",
]

TEMPLATES: Final = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"builtins": ["lienthong.portal.templatetags.vietnamese", "django.templatetags.static"]},
    }
]

CONTENT_SECURITY_POLICY: Final = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "object-src": ["'none'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
    }
}
X_FRAME_OPTIONS: Final = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF: Final = True
SECURE_REFERRER_POLICY: Final = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY: Final = "same-origin"

STATIC_URL: Final = "/static/"
WHITENOISE_USE_FINDERS: Final = True  # files come straight from the installed packages: there is no collecting step
WHITENOISE_AUTOREFRESH: Final = False
WHITENOISE_ALLOW_ALL_ORIGINS: Final = False

# Words, numbers and dates are written by our own filters: every page is Vietnamese whatever the machine speaks.
LANGUAGE_CODE: Final = "vi"
USE_I18N: Final = False
USE_TZ: Final = True
TIME_ZONE: Final = "UTC"

# Django would log paths and exception texts; ``failures`` logs what is needed without values.
LOGGING: Final = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"none": {"class": "logging.NullHandler"}},
    "loggers": {"django": {"handlers": ["none"], "level": "CRITICAL", "propagate": False}},
}
