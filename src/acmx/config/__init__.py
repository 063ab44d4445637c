"""The configuration of an ACM server: `config.toml` in its directory, and the environment over it."""

from acmx.config.addresses import endpoint as endpoint
from acmx.config.addresses import host_of as host_of
from acmx.config.checks import faults as faults
from acmx.config.file import read as read
from acmx.config.file import write as write
from acmx.config.sections import Acm1 as Acm1
from acmx.config.sections import Acm2 as Acm2
from acmx.config.sections import Audit as Audit
from acmx.config.sections import Config as Config
from acmx.config.sections import Delivery as Delivery
from acmx.config.sections import Log as Log
from acmx.config.sections import Mail as Mail
from acmx.config.sections import Metrics as Metrics
from acmx.config.sections import Notices as Notices
from acmx.config.sections import Oidc as Oidc
from acmx.config.sections import ProfileNames as ProfileNames
from acmx.config.sections import Provisioning as Provisioning
from acmx.config.sections import Requests as Requests
from acmx.config.sections import Retention as Retention
from acmx.config.sections import Traces as Traces
from acmx.config.sections import Webhook as Webhook
from acmx.config.sections import Xcap as Xcap
