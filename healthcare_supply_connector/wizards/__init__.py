# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from . import account_move_accept_difference
from . import integration_master_proposal_reject
from . import integration_reference_match
from . import integration_table_import
from . import stock_lot_hold_wizard
