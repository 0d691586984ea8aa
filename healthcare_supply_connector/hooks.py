# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What an existing database needs when the addon is installed."""

from odoo.tools import SQL

from .payloads.units import UNECE_CODES


def post_init_hook(env):
    """Give units their UN/ECE codes and existing order lines their references."""
    _set_unit_codes(env)
    _number_order_lines(env)


def _set_unit_codes(env):
    data = (
        env["ir.model.data"]
        .sudo()
        .search(
            [
                ("module", "=", "uom"),
                ("model", "=", "uom.uom"),
                ("name", "in", list(UNECE_CODES)),
            ]
        )
    )
    for row in data:
        uom = env["uom.uom"].browse(row.res_id).exists()
        if uom and not uom.unece_code:
            uom.unece_code = UNECE_CODES[row.name]


def _number_order_lines(env):
    """Number the lines of each order in the order they were entered, 1, 2, …"""
    env.cr.execute(
        SQL(
            """
            WITH numbered AS (
                SELECT id, order_id, row_number() OVER (PARTITION BY order_id ORDER BY id) AS number
                  FROM purchase_order_line
                 WHERE display_type IS NULL),
            written AS (
                UPDATE purchase_order_line line
                   SET integration_line_ref = numbered.number::text
                  FROM numbered WHERE numbered.id = line.id AND line.integration_line_ref IS NULL)
            UPDATE purchase_order
               SET integration_line_count = counted.number
              FROM (SELECT order_id, max(number) AS number FROM numbered GROUP BY order_id) counted
             WHERE counted.order_id = purchase_order.id
            """
        )
    )
    env.invalidate_all()
