"""Security headers that the API and the pages have in common."""

# What no page here needs, it cannot be talked into either.
_UNUSED = (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "geolocation",
    "gyroscope", "magnetometer", "microphone", "midi", "payment", "picture-in-picture", "publickey-credentials-get",
    "screen-wake-lock", "usb", "xr-spatial-tracking",
)  # fmt: skip
PERMISSIONS = ", ".join(f"{feature}=()" for feature in _UNUSED)
TRANSPORT = "max-age=31536000"  # a year, of this host alone: others of the domain are not ours to promise for


def is_https(public_url: str) -> bool:
    """Whether people reach the installation by https: only then may browsers be told to keep to it."""
    return public_url.strip().lower().startswith("https://")
