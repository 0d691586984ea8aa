# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Who may press a button: checked in code, since the rows have no write right to go by."""

from odoo.exceptions import AccessError


def check_group(records, group):
    """Refuse who does not see the records or is no member of the group.

    :param records: what the button works on
    :param str group: full XML id
    :raises AccessError: names the group
    """
    env = records.env
    records.check_access("read")
    if not env.su and not env.user.has_group(group):
        raise AccessError(
            env._("Only members of the group %s may do this.", env.ref(group).full_name)
        )
