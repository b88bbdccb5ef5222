"""The media plane: packets in, packets out. It has never heard of Django, Celery or Redis."""
