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
