"""Settings of the web pages, from `REPOSTREAM_WEB_UI_…`. Only `app.py` reads them."""

from pydantic_settings import SettingsConfigDict

from runtime.secret_files import Settings


class WebUiSettings(Settings):
    """`allowed_hosts` are the names people use in the address bar, separated by commas, beside the loopback ones."""

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_WEB_UI_", extra="ignore", frozen=True)
    allowed_hosts: str = ""


class SiteSettings(Settings):
    """`public_url` is where people find the pages; https there is promised to browsers."""

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_", extra="ignore", frozen=True)
    public_url: str = ""
