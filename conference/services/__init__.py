"""Writes to meetings: one verb, one transaction, one line in the journal.

Each locks the meeting, passes its gate, writes what ought to be, and tells it. After the commit the browsers hear the
line and the relay is woken, independently of each other; neither is waited for.
"""

from conference.services.chat import say
from conference.services.control import raise_hand, set_camera, set_muted, set_screen
from conference.services.entry import (
    Admission,
    Entrance,
    end_meeting,
    issue_ticket,
    join_meeting,
    leave_meeting,
    start_meeting,
)
from conference.services.lobby import admit, admit_all, move_to_lobby
from conference.services.moderation import (
    lower_hands,
    mute_all,
    react,
    remove_participant,
    rename,
    set_locked,
    set_role,
    set_spotlight,
)
from conference.services.shared import NAME_CHARACTERS, Outcome
from conference.services.upkeep import EMPTY_FOR, LOST_AFTER, claim_meeting, end_if_empty, note_absence

__all__ = [
    "EMPTY_FOR",
    "LOST_AFTER",
    "NAME_CHARACTERS",
    "Admission",
    "Entrance",
    "Outcome",
    "admit",
    "admit_all",
    "claim_meeting",
    "end_if_empty",
    "end_meeting",
    "issue_ticket",
    "join_meeting",
    "leave_meeting",
    "lower_hands",
    "move_to_lobby",
    "mute_all",
    "note_absence",
    "raise_hand",
    "react",
    "remove_participant",
    "rename",
    "say",
    "set_camera",
    "set_locked",
    "set_muted",
    "set_role",
    "set_screen",
    "set_spotlight",
    "start_meeting",
]
