# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from . import test_access_rights
from . import test_acknowledgement
from . import test_capture_cost
from . import test_capture_rules
from . import test_document_messages
from . import test_goods_events
from . import test_installation
from . import test_invoice_events
from . import test_item_events
from . import test_lot_events
from . import test_payload_text
from . import test_purchase_order_events
from . import test_replenishment_events
from . import test_schemas
from . import test_shipment_notice
from . import test_supplier_approval
from . import test_supplier_events
