# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from . import dispatcher
from . import oauth
from . import attachments
from . import messages
from . import batch
from . import events
from . import feeds
from . import acknowledgements
from . import schemas
from . import resources
from . import validations
from . import openapi
