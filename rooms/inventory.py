"""Writes to the hardware inventory: what operators enter, and what devices say of themselves."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypedDict, Unpack
from uuid import UUID

from django.db import IntegrityError, transaction

from common.clock import now
from common.errors import Conflict, Malformed, NotFound, Unknown
from common.transactions import atomically
from rooms.models import Device
from rooms.words import DeviceState

CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""None of them looks like another."""
CODE_LENGTH = 8
CODE_LIVES = timedelta(minutes=30)
SILENT_AFTER = timedelta(seconds=35)
"""Devices say how they are each ten seconds or so; three lost in a row are no accident."""
FAULTS = 32
HEARD = (DeviceState.ONLINE, DeviceState.FAULTY)


class Facts(TypedDict, total=False):
    """What operators know of a device."""

    room_id: UUID | None
    kind: str
    name: str
    maker: str
    model: str
    serial: str
    consents: bool


def digest(secret: str) -> str:
    """What is kept of a token or a code; both are too long to be guessed from it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def device_by_id(device_id: UUID) -> Device:
    """Raise NotFound (`device.unknown`)."""
    device = Device.objects.select_related("room").filter(pk=device_id).first()
    if device is None:
        raise NotFound("device.unknown", "There is no such device.")
    return device


@atomically
def add_device(**facts: Unpack[Facts]) -> Device:
    """A device that has not been heard of yet. Raises Malformed (`device.name`), Conflict (`device.serial-taken`)."""
    facts["name"] = _named(facts.get("name", ""))
    try:
        with transaction.atomic():
            return Device.objects.create(**facts)
    except IntegrityError:
        raise _taken() from None


@atomically
def change_device(*, device_id: UUID, **facts: Unpack[Facts]) -> Device:
    """Change what is given. Raises NotFound, Malformed (`device.name`), Conflict (`device.serial-taken`)."""
    device = device_by_id(device_id)
    if "name" in facts:
        facts["name"] = _named(facts["name"])
    for field, value in facts.items():
        setattr(device, field, value)
    try:
        with transaction.atomic():
            device.save(update_fields=list(facts))
    except IntegrityError:
        raise _taken() from None
    return device_by_id(device_id)


@atomically
def retire_device(*, device_id: UUID) -> Device:
    """Out of service: its token is void, its record stays. Idempotent. Raises NotFound."""
    device = device_by_id(device_id)
    device.state, device.token, device.activation, device.participant_id = DeviceState.RETIRED, "", "", None
    device.save(update_fields=["state", "token", "activation", "participant_id"])
    return device


@atomically
def issue_code(*, device_id: UUID) -> tuple[str, datetime]:
    """A code that a device is given once, and until when it holds; the one before is void.

    Raises NotFound, Conflict (`device.retired`).
    """
    device = device_by_id(device_id)
    if device.state == DeviceState.RETIRED:
        raise Conflict("device.retired", "This device is out of service.")
    code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    device.activation, device.activation_until = digest(code), now() + CODE_LIVES
    device.save(update_fields=["activation", "activation_until"])
    return code, device.activation_until


@atomically
def activate(*, code: str, serial: str = "") -> tuple[Device, str]:
    """Exchange a code for the device's own token, which is shown this once; an earlier token is void.

    Raises Unknown (`activation.unknown`: none of ours, used or too old), Conflict (`device.serial-mismatch`: another
    device's code).
    """
    found = Device.objects.select_for_update().filter(activation=digest(code.strip().upper().replace("-", "")))
    device = found.first() if code.strip() else None
    if device is None or device.activation_until is None or device.activation_until <= now():
        raise Unknown("activation.unknown", "This code is none of ours, was used, or is too old.")
    if device.serial and serial and device.serial.lower() != serial.strip().lower():
        raise Conflict("device.serial-mismatch", "This code belongs to a device with another serial number.")
    token = secrets.token_urlsafe(32)
    device.token, device.activation, device.activation_until = digest(token), "", None
    device.save(update_fields=["token", "activation", "activation_until"])
    return device, token


@atomically
def note_heartbeat(
    *,
    device_id: UUID,
    token: str,
    firmware: str | None = None,
    address: str | None = None,
    serial: str | None = None,
    faults: Sequence[str] = (),
    participant_id: UUID | None = None,
) -> Device:
    """A device says how it is.

    Raises Unknown (`device.token`), Malformed (`device.faults`), Conflict (`device.serial-taken`: it says that it is
    another device).
    """
    device = Device.objects.select_for_update().filter(pk=device_id).first()
    if device is None or not device.token or not secrets.compare_digest(device.token, digest(token)):
        raise Unknown("device.token", "This is no token of this device.")
    if len(faults) > FAULTS or any(not 0 < len(fault) <= 80 or not fault.isprintable() for fault in faults):
        raise Malformed("device.faults", f"At most {FAULTS} faults of 80 printable characters.")
    if serial is not None and serial.strip() and serial.strip().lower() != device.serial.lower():
        if device.serial:
            raise Conflict("device.serial-taken", "This token belongs to a device with another serial number.")
        device.serial = serial.strip()
    device.state = DeviceState.FAULTY if faults else DeviceState.ONLINE
    device.faults, device.last_seen, device.participant_id = list(faults), now(), participant_id
    device.firmware = firmware if firmware is not None else device.firmware
    device.address = address if address is not None else device.address
    try:
        with transaction.atomic():
            device.save(
                update_fields=[
                    *("state", "faults", "last_seen", "participant_id", "firmware", "address", "serial"),
                ]
            )
    except IntegrityError:
        raise _taken() from None
    return device


@atomically
def note_silence(*, at: datetime) -> int:
    """Devices that said nothing for SILENT_AFTER are offline; how many were found so."""
    silent = Device.objects.filter(state__in=HEARD, last_seen__lt=at - SILENT_AFTER)
    return silent.update(state=DeviceState.OFFLINE, participant_id=None)


def is_preconsented(participant_id: UUID) -> bool:
    """Whether a device that consented to be commanded is used by this participant now."""
    return Device.objects.filter(participant_id=participant_id, consents=True, state__in=HEARD).exists()


def _taken() -> Conflict:
    return Conflict("device.serial-taken", "Another device of this maker has this serial number.")


def _named(name: str) -> str:
    name = " ".join(name.split())
    if not 0 < len(name) <= 120 or not name.isprintable():
        raise Malformed("device.name", "A name has 1 to 120 printable characters.")
    return name
