"""`python -m tests.load.crowd MEETINGS PEOPLE`: meetings full of people with tickets, made by the services themselves.

Prints one JSON line a meeting: `{"meeting_id": ..., "tickets": [...]}`. (By REST it would take as many requests, and
the limit on tickets from one address would be met.)
"""

import json
import os
import sys


def main(meetings: int, people: int) -> None:
    """Make and print them."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from accounts.services import create_user
    from conference import services
    from conference.selectors import Actor
    from rooms.services import create_room

    owner = create_user(username="bench-crowd")
    actor = Actor(user_id=owner.pk, name="Crowd")
    for number in range(meetings):
        slug = f"crowd-{number}"
        create_room(owner_id=owner.pk, title=slug, slug=slug, capacity=people)
        meeting, _ = services.start_meeting(actor=actor, slug=slug)
        issued = [services.issue_ticket(actor=Actor(), slug=slug, name=f"Guest {n}") for n in range(people)]
        print(json.dumps({"meeting_id": str(meeting.pk), "tickets": [one.ticket for one in issued]}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
