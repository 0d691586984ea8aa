# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from . import test_access_rights
from . import test_applying
from . import test_audit_trail
from . import test_client_keys
from . import test_endpoint_form_errors
from . import test_endpoint_states
from . import test_event_type_form_errors
from . import test_mapping_form_errors
from . import test_mapping_life_cycle
from . import test_message_body
from . import test_neutralize
from . import test_node_settings
from . import test_reception
from . import test_reception_authentication
from . import test_reception_bad_input
from . import test_secrets
