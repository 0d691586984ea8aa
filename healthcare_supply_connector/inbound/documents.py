# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Documents that come with a message: certificates of analysis, packing slips, invoices."""

from __future__ import annotations


def attach(record, data, message):
    """Attach the documents of a message to a business record, each only once.

    :param record: one record, e.g. a receipt, a lot, a bill
    :param data: canonical data; its member ``documents`` counts, if there is one
    :param message: the ``integration.message`` it came in
    :return: the ``integration.attachment`` records, as superuser
    :raise Rejected: one cannot be kept: too large, of a type nobody needs, a wrong hash
    """
    return record.env["integration.attachment"]._attach(
        record, data.get("documents") or [], message
    )
