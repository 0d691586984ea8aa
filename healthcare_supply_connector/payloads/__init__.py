# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Canonical documents of the supply connector: records in, plain dictionaries out.

One module per kind of document, each with functions (batch, record) -> dict;
:class:`~.batch.Batch` holds what the documents of one batch share.
"""
