"""Words that rooms share with those who stand above them."""

from django.db import models


class Role(models.TextChoices):
    """From most to least trusted. Hosts and co-hosts run a meeting."""

    HOST = "host"
    COHOST = "cohost"
    MEMBER = "member"
    GUEST = "guest"


class Lobby(models.TextChoices):
    """Who waits until a host lets them in. Hosts and co-hosts never do."""

    NOBODY = "nobody"
    GUESTS = "guests"
    EVERYBODY = "everybody"


class DeviceKind(models.TextChoices):
    """What a piece of hardware is for."""

    DISPLAY = "display"
    MICROPHONE = "microphone"
    CAMERA = "camera"
    SPEAKER = "speaker"
    CODEC = "codec"
    PANEL = "panel"


class DeviceState(models.TextChoices):
    """How a device is. `new` has never been heard of, `retired` is kept for the record alone."""

    NEW = "new"
    ONLINE = "online"
    FAULTY = "faulty"
    OFFLINE = "offline"
    RETIRED = "retired"
