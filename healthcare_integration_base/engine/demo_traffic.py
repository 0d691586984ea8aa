# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Traffic of the demo data: a week of messages as the engine would have left them.

Bodies are made by the function that sends, so what the screens show is what would go out.
"""

from __future__ import annotations

import hashlib
import random
from datetime import datetime, timedelta
from typing import Any

from ..protocol import envelope, ids
from . import payload, render
from .demo_stories import MODULE, SITES, STORIES, TEXTS, Story, Try


class Traffic:
    """Writes the stories' events, messages, attempts, bodies and queue entries."""

    def __init__(self, env, now: datetime) -> None:
        self.env = env(context=dict(env.context, tracking_disable=True))
        self.now = now
        self.retry_at = now + timedelta(hours=12)
        self.dice = random.Random(19)
        self.stories: dict[str, Any] = {}

    def make(self) -> None:
        """Write all of it, oldest first, so that ids follow time."""
        rows = sorted(
            (row for story in STORIES for row in self._rows(story)),
            key=lambda row: row[0],
        )
        events = iter(
            self._write_events([row for row in rows if self._outgoing(row[1])])
        )
        messages = self.env["integration.message"].create(
            [
                self._message(*row, self._outgoing(row[1]) and next(events))
                for row in rows
            ]
        )
        for story in STORIES:
            mine = [
                message.id
                for message, row in zip(messages, rows, strict=False)
                if row[1] is story
            ]
            self.stories[story.name] = messages.browse(mine)
            self._write_attempts(story, messages.browse(mine))
            if story.state == "pending":
                self._queue(story, messages.browse(mine))
        self._write_bodies(messages)
        self._link_replays()

    def messages_of(self, story: str):
        """Return the messages of a story."""
        return self.stories[story]

    def _ref(self, name: str):
        return self.env.ref(f"{MODULE}.demo_{name}")

    # events and messages

    def _rows(self, story: Story) -> list[tuple[datetime, Story, Any]]:
        return [
            (self._moment(story), story, self._ref(f"site_{self.dice.choice(SITES)}"))
            for _ in range(story.count)
        ]

    def _outgoing(self, story: Story) -> bool:
        return self._ref(f"endpoint_{story.endpoint}").direction == "out"

    def _moment(self, story: Story) -> datetime:
        newest, oldest = story.hours
        hours = self.dice.uniform(newest, oldest)
        return (self.now - timedelta(hours=hours)).replace(microsecond=0)

    def _write_events(self, rows):
        return self.env["integration.event"].create([self._event(*row) for row in rows])

    def _event(self, at: datetime, story: Story, site) -> dict[str, Any]:
        event_type = self._ref(f"event_{story.event_type}")
        return {
            "uid": ids.uuid7(),
            "type_id": event_type.id,
            "version": event_type.version,
            "res_model": site._name,
            "res_id": site.id,
            "res_name": site.name,
            "company_id": self.env.company.id,
            "user_id": self._ref("user_operator").id,
            "ordering_key": f"{site._name},{site.id}",
            "occurred_at": at,
            "data": envelope.dumps(site_data(site)).decode(),
            "correlation_uid": ids.uuid7(),
        }

    def _message(self, at: datetime, story: Story, site, event) -> dict[str, Any]:
        endpoint = self._ref(f"endpoint_{story.endpoint}")
        failed = (
            story.tries[-1:]
            and story.tries[-1].outcome != "success"
            and story.tries[-1]
        )
        finished = story.state not in ("pending",)
        subscription = endpoint.subscription_ids[:1]
        extra = {
            name: value for name, value in story.extra.items() if name != "replays"
        }
        values = {
            "uid": ids.uuid7(),
            "direction": endpoint.direction,
            "endpoint_id": endpoint.id,
            "event_type_id": self._ref(f"event_{story.event_type}").id,
            "company_id": self.env.company.id,
            "state": story.state,
            "attempt_count": len(story.tries),
            "created_at": at,
            "finished_at": finished and at + timedelta(seconds=2),
            "last_error_class": failed and failed.error_class,
            "last_error_code": failed and failed.error_code,
            "last_error": failed and TEXTS[failed.error_code],
            **extra,
        }
        if event:
            values.update(
                event_id=event.id,
                subscription_id=subscription.id,
                mapping_id=subscription.mapping_id.id,
                mapping_version=subscription.mapping_id.version,
                ordering_key=event.ordering_key,
                correlation_uid=event.correlation_uid,
                res_model=event.res_model,
                res_id=event.res_id,
                res_name=event.res_name,
            )
        else:
            values.update(self._received(story, endpoint, site))
        return values

    def _received(self, story: Story, endpoint, site) -> dict[str, Any]:
        applied = story.state == "done"
        return {
            "client_id": endpoint.client_ids[:1].id,
            "external_id": f"msg_{self.dice.randrange(16**12):012x}",
            "content_type": "application/json",
            "res_model": applied and site._name,
            "res_id": applied and site.id,
            "res_name": applied and site.name,
            "schema_errors": story.name == "broken"
            and [
                {
                    "path": "/tests/3/sample_hours",
                    "message": "exclusiveMinimum: must be above 0",
                }
            ],
        }

    # what hangs on the messages

    def _write_attempts(self, story: Story, messages) -> None:
        self.env["integration.attempt"].create(
            [
                self._attempt(message, number, one)
                for message in messages
                for number, one in enumerate(story.tries, 1)
            ]
        )

    def _attempt(self, message, number: int, one: Try) -> dict[str, Any]:
        outgoing = message.direction == "out"
        last = number == message.attempt_count
        started = message.created_at + timedelta(
            seconds=1 + 300 * (number - 1) * number / 2
        )
        return {
            "message_id": message.id,
            "number": number,
            "started_at": min(started, self.now),
            "duration": round(one.seconds + self.dice.uniform(0, 0.1), 3),
            "outcome": one.outcome,
            "error_class": one.error_class,
            "error_code": one.error_code,
            "status": one.status,
            "request_headers": outgoing and request_headers(message),
            "response_headers": one.status and response_headers(one),
            "response": one.answer.encode() or False,
            "response_size": len(one.answer),
            "next_attempt_at": last and message.state == "pending" and self.retry_at,
        }

    def _write_bodies(self, messages) -> None:
        rows = []
        for message in messages:
            body, content_type = self._body(message)
            message.write(
                {
                    "content_type": content_type,
                    "size": len(body),
                    "body_sha256": hashlib.sha256(body).hexdigest(),
                }
            )
            rows.append({"message_id": message.id, "body": body})
        self.env["integration.payload"].flush_model()
        self.env["integration.message"].flush_model()
        payload.store(self.env.cr, rows)

    def _body(self, message) -> tuple[bytes, str]:
        if message.direction == "in":
            return envelope.dumps(received_data(message)), "application/json"
        on_trial = message.endpoint_id.browse()  # a mapping may be retired by now
        made = render.render(
            render.event_values(message.event_id), message.mapping_id, on_trial
        )
        return made.body, made.content_type

    def _queue(self, story: Story, messages) -> None:
        self.env["integration.queue.entry"].create(
            [
                {
                    "message_id": message.id,
                    "endpoint_id": message.endpoint_id.id,
                    "priority": 1,
                    "seq": message.event_id.id,
                    "ordering_key": message.ordering_key,
                    "due_at": self.retry_at if story.tries else message.created_at,
                }
                for message in messages
            ]
        )

    def _link_replays(self) -> None:
        for story in STORIES:
            originals = self.stories.get(story.extra.get("replays"))
            for original, replay in zip(
                originals or (), self.stories[story.name], strict=False
            ):
                replay.write({"replay_of_id": original.id})


def site_data(site) -> dict[str, Any]:
    """Return the canonical form of a care site."""
    return {
        "care_site": {
            "reference": site.ref,
            "name": site.name,
            "address": {
                "street": site.street,
                "city": site.city,
                "postal_code": site.zip,
                "country": site.country_id.code,
            },
        }
    }


def received_data(message) -> dict[str, Any]:
    """Return a document as the partner would send it."""
    if message.event_type_id.code.startswith("laboratory."):
        return {
            "header": {"catalogueId": "NL-2026", "sender": "NordLab"},
            "items": [
                {"loincLike": "K-100", "title": "Potassium", "stability": 24},
                {"loincLike": "N-200", "title": "Sodium", "stability": 48},
            ],
        }
    return {
        "practitioner": {"number": "P-2217", "role": "pharmacist", "site": "SITE-005"}
    }


def request_headers(message) -> dict[str, str]:
    """Return the headers that were sent, redacted as the engine redacts them."""
    return {
        "content-type": "application/json",
        "user-agent": "healthcare-integration",
        "webhook-id": message.uid,
        "webhook-timestamp": str(int(message.created_at.timestamp())),
        "webhook-signature": "***",
    }


def response_headers(one: Try) -> dict[str, str]:
    """Return the headers of the answer."""
    return {
        "content-type": "application/json"
        if one.answer.startswith("{")
        else "text/html",
        "content-length": str(len(one.answer)),
    }
