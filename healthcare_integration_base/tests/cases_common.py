# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Messages that fail for business causes, and the people who finish their cases."""

from decimal import Decimal

from ..protocol.cause import Cause
from ..protocol.errors import Rejected
from .reception_common import InboxCase


class CauseCase(InboxCase):
    """An inbox whose handler knows the items of ``self.known`` only."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.handler = cls.make_user("exception_handler", company=cls.company)

    def setUp(self):
        super().setUp()
        self.known = set()
        case = self

        def handler(model, data, message):
            item = data["name"]
            if item not in case.known:
                raise Rejected(f"Unknown item {item}", cause=case.unknown(item))
            return model.create({"name": item, "ref": data.get("ref")})

        self.handle_with(handler)

    def unknown(self, item, **values):
        """Return the cause of an item nobody knows."""
        values = {"title": f"Unknown item {item} at Medline", **values}
        data = {"domain": "item", "external_value": item}
        return Cause(code="item_unknown", key=item, data=data, **values)

    def price(self, amount, document, key="P00042/10", currency="EUR", **values):
        """Return the cause of a price that differs."""
        return Cause(
            code="price_difference",
            key=key,
            title="Price 5.10 against 4.80 on P00042",
            amount=Decimal(amount),
            currency=currency,
            document=document and (document._name, document.id),
            **values,
        )

    def cases(self, **domain):
        """Return the cases with these values, oldest first."""
        conditions = [(name, "=", value) for name, value in domain.items()]
        return self.env["integration.exception"].search(conditions, order="id")

    def fail(self, *items):
        """Hand in messages for unknown items; return their dead messages."""
        messages = self.env["integration.message"].browse()
        for item in items:
            # each a message of its own: the same bytes again would be the same message
            messages |= self.hand_in({"name": item, "ref": self.next_code("ref")})
        self.apply_all()
        return messages

    def raise_case(self, cause, **values):
        """Raise a case at the inbox; return it."""
        values.setdefault("endpoint", self.endpoint)
        return self.env["integration.exception"]._raise_case(cause, **values)

    def replays(self, messages):
        """Return what took the place of messages."""
        return self.messages().filtered(lambda one: one.replay_of_id in messages)
