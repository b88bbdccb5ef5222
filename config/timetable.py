"""What is done again and again, and the Celery application that beat runs on.

Beat only sends names, so this application knows neither Django nor a task, and beat stays small.
"""

from celery import Celery

from config.broker import TRANSPORT, broker_url
from config.environment import environment

app = Celery("quorum", broker=broker_url(environment()))
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_connection_timeout=2,
    broker_transport_options=TRANSPORT,
    task_default_queue="work",
    task_ignore_result=True,
    timezone="UTC",
    # A job that nobody took while the next ones were sent is not worth doing any more: `expires`.
    beat_schedule={
        "sweep-absent": {"task": "conference.tasks.sweep_absent", "schedule": 2.0, "options": {"expires": 4}},
        "empty-draining": {"task": "conference.tasks.empty_draining", "schedule": 2.0, "options": {"expires": 4}},
        "sweep-devices": {"task": "rooms.tasks.sweep_devices", "schedule": 10.0, "options": {"expires": 15}},
        "beat-heart": {"task": "ops.tasks.beat_heart", "schedule": 5.0, "options": {"expires": 10}},
    },
)
