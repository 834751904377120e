"""Every setting of Shoal, read once from the environment and typed.

SHOAL_MODE is `production` unless it says `demo` or `test`. Production takes nothing for granted:
a missing secret, host or address stops the start with the name of what is missing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from csp.constants import NONCE, NONE, SELF, STRICT_DYNAMIC
from django.utils.translation import pgettext_lazy
from environs import Env

from config.logging import logging_settings

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()

Mode = Literal["production", "demo", "test"]
MODE = cast(Mode, env.str("SHOAL_MODE", "production"))
if MODE not in ("production", "demo", "test"):
    raise RuntimeError(f"SHOAL_MODE must be production, demo or test, not {MODE!r}.")
PRODUCTION = MODE == "production"

DEBUG = False


def required(name: str, otherwise: str) -> str:
    """Return the variable `name`; outside production `otherwise` stands in for it."""
    return env.str(name) if PRODUCTION else env.str(name, otherwise)


# -- who we are -------------------------------------------------------------------------------

SECRET_KEY = required("SECRET_KEY", "not-a-secret-this-is-the-demo-or-a-test-0123456789-abcdefghij")
# Keys for merchants' secrets, newest first, each of `Fernet.generate_key()`'s form.
FIELD_KEYS: list[str] = (
    env.list("FIELD_KEYS")
    if PRODUCTION
    else env.list("FIELD_KEYS", ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="])
)
# The address members see, without a slash at its end.
SITE_URL = required("SITE_URL", "http://localhost:8000").rstrip("/")
SITE_NAME = env.str("SITE_NAME", "Shoal")
ALLOWED_HOSTS: list[str] = (
    env.list("ALLOWED_HOSTS")
    if PRODUCTION
    else ["localhost", "127.0.0.1", "[::1]", "testserver", *env.list("ALLOWED_HOSTS", [])]
)
# Domains of forums that moved here, pointed at us: their addresses lead to what became of them.
# With a space after each comma, as the proxy wants it.
_old_hosts: list[str] = env.list("OLD_HOSTS", [])
OLD_HOSTS = [host.strip() for host in _old_hosts]
ALLOWED_HOSTS += OLD_HOSTS
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
# How many proxies of ours stand in front; only their X-Forwarded-For entries are believed.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)
# The same for allauth's limits: else all visitors behind a proxy share one address and one limit.
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
HTTPS = env.bool("HTTPS", PRODUCTION)

# -- what is installed ------------------------------------------------------------------------

INSTALLED_APPS = [
    "config.apps.ConfigConfig",
    "community.apps.CommunityConfig",
    "commerce.apps.CommerceConfig",
    "moderation.apps.ModerationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.forms",  # its templates, for FORM_RENDERER
    "moderation.apps.StaffAdminConfig",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "channels",
    "csp",
    "django_htmx",
]

MIDDLEWARE = [
    "config.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.HealthMiddleware",
    "community.importing.middleware.OldHostsMiddleware",
    "config.static_files.StaticFilesMiddleware",
    "config.guest_pages.GuestPagesMiddleware",
    "config.languages.LanguageMiddleware",
    "config.middleware.DatabaseAwayMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "libraries": {"lucide": "config.icons"},
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "community.groups.context.frame",
                "community.notifications.context.badge",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# -- where things are kept --------------------------------------------------------------------

# Whether the busiest statements are planned once a connection (docs/decisions/
# prepared-statements.md). Not behind a pooler that gives each transaction another session.
DATABASE_PREPARED = env.bool("DATABASE_PREPARED", True)
DATABASES = {
    "default": {
        **env.dj_db_url(
            "DATABASE_URL", **({} if PRODUCTION else {"default": "postgresql://localhost/shoal"})
        ),
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": env.int("DATABASE_CONN_MAX_AGE", 60),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 5,
            # Only what goes through config/prepared.py is prepared, and that at once.
            "prepare_threshold": 1_000_000 if DATABASE_PREPARED else None,
            "options": " ".join(
                f"-c {name}={value}"
                for name, value in {
                    "statement_timeout": env.str("DATABASE_STATEMENT_TIMEOUT", "5s"),
                    "lock_timeout": "2s",
                    "idle_in_transaction_session_timeout": "10s",
                    "jit": "off",
                }.items()
            ),
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = required("REDIS_URL", "redis://127.0.0.1:6379/0")
# Redis away is a miss, not an error: config/cache.py.
CACHES = {
    "default": {
        "BACKEND": "config.cache.SafeRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
        "TIMEOUT": 300,
    }
}

MEDIA_ROOT = Path(env.str("MEDIA_ROOT", str(BASE_DIR / ".demo" / "media")))
# Copies of members' data, which only a checked view hands out; on a disk all workers share.
PRIVATE_ROOT = Path(env.str("PRIVATE_ROOT", str(MEDIA_ROOT / "private")))
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "config.bundles.SourceFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "config.bundles.BundleFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if MODE == "test"
        else "config.bundles.HashedStorage"
    },
}
WHITENOISE_USE_FINDERS = MODE == "test"
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
# A picture is at most 10 MB (community.uploads); the rest of a form is small.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# -- members and sign-in ----------------------------------------------------------------------

AUTH_USER_MODEL = "community.Member"
AUTHENTICATION_BACKENDS = ["community.members.backend.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = (
    ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if MODE == "test"
    else [
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]
)
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

ACCOUNT_ADAPTER = "community.members.adapter.AccountAdapter"
ACCOUNT_FORMS = {"signup": "community.members.forms.SignupForm"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = "handle"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*"]
ACCOUNT_USERNAME_MIN_LENGTH = 2
ACCOUNT_USERNAME_VALIDATORS = "community.members.models.handle_validators"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True  # a change of password, address or second step is told by mail
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = SITE_NAME
MFA_TOTP_TOLERANCE = 1  # a phone may be half a minute off
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
# Staff sign in to the admin only with a second factor; the demo lets you look round without one.
STAFF_MFA_REQUIRED = env.bool("STAFF_MFA_REQUIRED", PRODUCTION)

EMAIL_BACKEND = env.str(
    "EMAIL_BACKEND",
    {
        "production": "django.core.mail.backends.smtp.EmailBackend",
        "demo": "config.mailbox.Backend",  # read at /_mail/
        "test": "django.core.mail.backends.locmem.EmailBackend",
    }[MODE],
)
EMAIL_FILE_PATH = env.str("EMAIL_FILE_PATH", str(BASE_DIR / ".demo" / "mail"))
EMAIL_HOST = env.str("EMAIL_HOST", "localhost")
EMAIL_PORT = env.int("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = required("DEFAULT_FROM_EMAIL", "Shoal <hello@shoal.example>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# -- headers ----------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [NONCE, STRICT_DYNAMIC],
        "style-src": [SELF],
        "img-src": [SELF, "blob:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "media-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = HTTPS and env.bool("SSL_REDIRECT", True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", 365 * 24 * 3600 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_INCLUDE_SUBDOMAINS", HTTPS)
SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", HTTPS)
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# `__Host-` binds a cookie to this host and to HTTPS; browsers refuse the name without both.
_prefix = "__Host-" if HTTPS else ""
SESSION_ENGINE = "config.sessions"
SESSION_COOKIE_NAME = f"{_prefix}session"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 24 * 3600
CSRF_COOKIE_NAME = f"{_prefix}csrf"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
VISITOR_COOKIE_NAME = f"{_prefix}visitor"
CONSENT_COOKIE_NAME = f"{_prefix}consent"

# -- work done later (config/outbox.py, config/celery.py) ----------------------------------------

OUTBOX_QUEUES = ["default", "links", "insights", "mail"]
OUTBOX_MAX_TRIES = env.int("OUTBOX_MAX_TRIES", 8)
# The wait after the first failure; each further one is four times as long, at most an hour. Eight
# tries take about two hours.
OUTBOX_RETRY_SECONDS = env.float("OUTBOX_RETRY_SECONDS", 2.0)
# Work that waits longer than this makes /readyz answer 503.
OUTBOX_MAX_AGE_SECONDS = env.float("OUTBOX_MAX_AGE_SECONDS", 300.0)

CELERY_BROKER_URL = REDIS_URL
# Where beat notes what it sent last; every beat needs one of its own.
CELERY_BEAT_SCHEDULE_FILENAME = env.str("BEAT_FILE", str(BASE_DIR / ".demo" / "beat"))
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_SOFT_TIME_LIMIT = 50
CELERY_TASK_TIME_LIMIT = 60
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # A killed worker's tasks come back after this; no task may run longer, nor be given a later
    # start: due times live in PostgreSQL.
    "visibility_timeout": 120,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 2,
    "socket_connect_timeout": 1,
    "socket_keepalive": True,
}

LOGGING = logging_settings(json=PRODUCTION, level=env.str("LOG_LEVEL", "INFO"))

# How long a page read by guests may be kept, should nobody tell that it changed. 0 keeps none:
# tests roll back what they write, and nobody is told of that.
GUEST_PAGES_SECONDS = env.int("GUEST_PAGES_SECONDS", 0 if MODE == "test" else 30)

# -- words and time ---------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "config.formats"
LANGUAGE_COOKIE_NAME = f"{_prefix}language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

# -- community --------------------------------------------------------------------------------

# Sockets, counted by each process for itself. An address is a whole one of IPv4, a /64 of IPv6;
# tests and measurements open all of theirs from one.
SOCKETS_PER_MEMBER = env.int("SOCKETS_PER_MEMBER", 5)
SOCKETS_PER_ADDRESS = env.int("SOCKETS_PER_ADDRESS", 100_000 if MODE == "test" else 20)
SOCKET_CONNECTS_PER_SECOND = env.int(
    "SOCKET_CONNECTS_PER_SECOND", 100_000 if MODE == "test" else 10
)
SOCKET_CONNECTS_BURST = env.int("SOCKET_CONNECTS_BURST", 100_000 if MODE == "test" else 40)

POSTS_PER_PAGE = 20
THREADS_PER_PAGE = 25
# So long after publishing, or after an edit of theirs, the same hand changes a post without a
# revision being kept.
EDIT_GRACE_SECONDS = env.int("EDIT_GRACE_SECONDS", 5 * 60)
# What members give to posts, in the order shown: a name that is stored, an emoji, and what it is
# called. The first stands under every post, the others behind its menu. A name no longer listed is
# no longer shown; its rows stay.
REACTIONS: dict[str, tuple[str, StrOrPromise]] = {
    "heart": ("❤️", pgettext_lazy("reaction", "Love it")),
    "helpful": ("👍", pgettext_lazy("reaction", "Helpful")),
    "laugh": ("😄", pgettext_lazy("reaction", "Made me laugh")),
    "surprise": ("😮", pgettext_lazy("reaction", "Didn't expect that")),
    "want": ("🔥", pgettext_lazy("reaction", "Want it")),
}

# What a member has to have done for each trust level; the figures, and what they are called, are
# Discourse's defaults (tl1_requires_topics_entered 5, tl2_requires_days_visited 15, and so on).
# Level 4 is given by hand alone.
TRUST_NEEDS: dict[int, dict[str, int]] = {
    1: {"threads_opened": 5, "posts_read": 30, "minutes_read": 10},
    2: {
        "days_visited": 15,
        "threads_opened": 20,
        "posts_read": 100,
        "minutes_read": 60,
        "reactions_given": 1,
        "reactions_received": 1,
        "threads_replied": 3,
    },
    # "recent" counts the last TRUST_RECENT_DAYS days; opened and read there are per cent of what
    # the public groups wrote in them, and at most TRUST_SHARES_MAX.
    3: {
        "recent_days_visited": 50,
        "recent_threads_replied": 10,
        "recent_threads_opened": 25,
        "recent_posts_read": 25,
        "recent_reactions_given": 30,
        "recent_reactions_received": 20,
        "threads_opened": 200,
        "posts_read": 500,
    },
}
TRUST_RECENT_DAYS = 100
TRUST_SHARES_MAX = {"recent_threads_opened": 500, "recent_posts_read": 20_000}
TRUST_POSTS_HIDDEN_MAX = 5  # recent ones, by moderators: more and level 3 is out of reach
# Level 3 is lost below this share of what it takes, but not in the first two weeks.
TRUST_KEEP_PERCENT = 90
TRUST_GRACE_DAYS = 14
# What a newcomer (trust level 0) may put into one post or message, and open and write on the first
# day. Staff and the moderators of a group are no newcomers there.
NEWCOMER_LIMITS = {"links": 2, "images": 1, "mentions": 2, "threads": 3, "replies": 10}
# PostgreSQL's dictionaries that texts are stemmed by, the site's own language first; a member's
# language chooses among them. Other scripts than Latin need none. A change wants
# `manage.py rebuild_search --afresh`.
SEARCH_LANGUAGES: list[str] = env.list("SEARCH_LANGUAGES", ["english"])
# Likeness of meaning beside words: "none", "openai" (any server with /v1/embeddings) or "onnx"
# (onnxruntime and tokenizers, which the site installs, and weights it gives).
SEARCH_EMBEDDER = env.str("SEARCH_EMBEDDER", "none")
SEARCH_EMBEDDER_URL = env.str("SEARCH_EMBEDDER_URL", "")
SEARCH_EMBEDDER_KEY = env.str("SEARCH_EMBEDDER_KEY", "")
SEARCH_EMBEDDER_MODEL = env.str("SEARCH_EMBEDDER_MODEL", "")
SEARCH_EMBEDDER_PATH = env.str("SEARCH_EMBEDDER_PATH", "")
SEARCH_EMBEDDER_DIMENSIONS = env.int("SEARCH_EMBEDDER_DIMENSIONS", 384)
# How long a search waits for the embedder before it goes by words alone.
SEARCH_EMBEDDER_SECONDS = env.float("SEARCH_EMBEDDER_SECONDS", 0.5)
# The share of likeness in a rank, the rest is words: 0 to 1.
SEARCH_DENSE_WEIGHT = env.float("SEARCH_DENSE_WEIGHT", 0.55)
SAVED_SEARCHES_MAX = env.int("SAVED_SEARCHES_MAX", 30)

# -- members' own data (docs/privacy.md) ----------------------------------------------------------

EXPORT_DAYS = env.int("EXPORT_DAYS", 7)  # how long a copy can be fetched
ERASURE_WAIT_DAYS = env.int("ERASURE_WAIT_DAYS", 7)  # how long an erasure can be taken back

# -- telling members (docs/mail-and-push.md) ----------------------------------------------------

# A notification waits so long before it leaves the house, and stays in when it is read meanwhile.
NOTIFY_DELAY_SECONDS: dict[str, int] = {
    "email": env.int("NOTIFY_EMAIL_DELAY_SECONDS", 120),
    "push": env.int("NOTIFY_PUSH_DELAY_SECONDS", 5),
    "chat_email": env.int("NOTIFY_CHAT_EMAIL_DELAY_SECONDS", 600),
}
# Where replies to our letters go; each letter's has a signed mark behind a "+". Empty: nobody can
# reply by e-mail.
REPLY_ADDRESS = env.str("REPLY_ADDRESS", "" if PRODUCTION else "reply@shoal.example")
REPLY_DAYS = env.int("REPLY_DAYS", 90)
# What the mail provider says when it hands in a letter. Empty: no letters are taken.
INBOUND_SECRET = env.str("INBOUND_SECRET", "" if PRODUCTION else "not-a-secret-inbound")
INBOUND_MAX_BYTES = 10 * 1024 * 1024
# Made by `manage.py vapid_keys`. Empty: no web push.
VAPID_PRIVATE_KEY = env.str("VAPID_PRIVATE_KEY", "")
VAPID_CONTACT = env.str("VAPID_CONTACT", "mailto:hello@shoal.example")

# -- commerce (each is a number a site may change) ----------------------------------------------

CLICK_WINDOW_SECONDS = env.int("CLICK_WINDOW_SECONDS", 30 * 24 * 3600)
CLICK_DEDUPE_SECONDS = env.int("CLICK_DEDUPE_SECONDS", 30 * 60)
VISITOR_COOKIE_AGE = env.int("VISITOR_COOKIE_AGE", 395 * 24 * 3600)
WEBHOOK_MAX_BYTES = 256 * 1024
WEBHOOK_TOLERANCE_SECONDS = 5 * 60
