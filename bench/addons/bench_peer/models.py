# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import requests

from odoo import models


class BenchPeer(models.AbstractModel):
    """The usual way to send with queue_job: one job per message."""

    _name = "bench.peer"
    _description = "Bench: One Job per Message"

    def _send(self, url, headers, body):
        """Send one message; a failure is the job's failure."""
        answer = requests.post(url, data=body.encode(), headers=headers, timeout=30)
        answer.raise_for_status()
