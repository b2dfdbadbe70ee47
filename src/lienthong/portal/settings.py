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
    "lienthong.portal.accounts.OfficerMiddleware",  # request.officer; before the token is checked, for its words
    "django.middleware.csrf.CsrfViewMiddleware",
]

TEMPLATES: Final = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["lienthong.portal.templatetags.vietnamese", "django.templatetags.static"],
            "context_processors": ["lienthong.portal.accounts.officer_in_words"],
        },
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
CSRF_COOKIE_NAME: Final = "lienthong_bieu_mau"
CSRF_COOKIE_HTTPONLY: Final = True
CSRF_COOKIE_SAMESITE: Final = "Lax"
CSRF_TRUSTED_ORIGINS: Final[list[str]] = []
CSRF_COOKIE_SECURE: Final = False  # ``application`` sets both where browsers come over TLS
CSRF_COOKIE_AGE: Final = None  # ends with the browser
CSRF_FAILURE_VIEW: Final = "lienthong.portal.failures.form_not_ours"
CLOSED: Final = False  # ``serve`` closes every page to those who did not sign in where a network reaches them
FORM_FILES_MAX: Final = 20  # of one form
DATA_UPLOAD_MAX_MEMORY_SIZE: Final = 2_000_000  # bytes of a form without its files
DATA_UPLOAD_MAX_NUMBER_FIELDS: Final = 400
DATA_UPLOAD_MAX_NUMBER_FILES: Final = FORM_FILES_MAX
FILE_UPLOAD_HANDLERS: Final = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]  # nothing lands on a disk
FILE_UPLOAD_MAX_MEMORY_SIZE: Final = 25_000_000  # of a whole request; what is larger has no files
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
