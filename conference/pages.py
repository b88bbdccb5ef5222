"""Pages: the desktop and the meeting window."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_http_methods

from common.errors import NotFound, Refusal
from conference import selectors
from conference.models import Meeting
from conference.selectors import Actor
from rooms import selectors as rooms
from rooms import services as room_services

RECENT = 10


@login_required
@require_http_methods(["GET", "POST"])
def desktop(request: HttpRequest) -> HttpResponse:
    """`/`: my rooms, what runs now, what was lately. A POST makes a room and goes there."""
    user = request.user
    assert user.is_authenticated, "login is required"
    problem = ""
    if request.method == "POST":
        try:
            room = room_services.create_room(owner_id=user.pk, title=request.POST.get("title", ""))
        except Refusal as no:
            problem = no.detail
        else:
            return redirect("meeting", slug=room.slug)
    meetings = selectors.visible_meetings(Actor(user_id=user.pk))
    running = {meeting.room_id: meeting for meeting in meetings.filter(ended_at=None)}
    mine = [_card(room.slug, room.title, running.get(room.pk)) for room in rooms.rooms_of(user.pk)]
    recent = meetings.filter(ended_at__isnull=False)[:RECENT]
    context = {
        "rooms": mine,
        "running": [_card(m.room.slug, m.room.title, m) for m in running.values()],
        "recent": [
            {
                "slug": m.room.slug,
                "title": m.room.title,
                "url": f"/r/{m.room.slug}/",
                "started_at": m.started_at,
                "ended_at": m.ended_at,
            }
            for m in recent
        ],
        "problem": problem,
    }
    return render(request, "rooms/desktop.html", context, status=400 if problem else 200)


@require_GET
@ensure_csrf_cookie
def meeting(request: HttpRequest, slug: str) -> HttpResponse:
    """`/r/<slug>/`: lobby and meeting window, for whoever has the link and may come in."""
    user = request.user if request.user.is_authenticated else None
    try:
        room = rooms.room_by_slug(slug)
        if not room.guests_allowed:
            operator = user is not None and user.is_operator
            rooms.require_member(room_id=room.pk, user_id=user.pk if user else None, operator=operator)
    except NotFound as no:
        raise Http404(no.detail) from None
    page: dict[str, Any] = {
        "slug": room.slug,
        "title": room.title,
        "signedIn": user is not None,
        "name": user.shown_name if user else "",
        "language": get_language(),
        "socketBase": f"{'wss' if request.is_secure() else 'ws'}://{request.get_host()}",
        "iceServers": list(selectors.ice_servers()),
    }
    return render(request, "conference/meeting.html", {"page": page, "room": room})


def _card(slug: str, title: str, running: Meeting | None) -> dict[str, Any]:
    people = getattr(running, "people", 0)
    return {"slug": slug, "title": title, "url": f"/r/{slug}/", "live": running is not None, "people": people}
