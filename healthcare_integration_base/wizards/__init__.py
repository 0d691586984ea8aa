# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from . import integration_client_key_generate
from . import integration_credential_rotate
from . import integration_exception_assign
from . import integration_exception_close
from . import integration_exception_correct
from . import integration_exception_dispute
from . import integration_mapping_preview
from . import integration_table_export
from . import integration_table_import
