# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""System APIs of the connector: which records clients may read, and as what.

The documents are those of the events (``payloads``), so a partner learns one form.
"""

from . import integration_api
