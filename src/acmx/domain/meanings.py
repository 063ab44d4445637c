"""What a member means that stands in several documents: said once, in the JSON schemas and on the pages alike."""

from msgspec import Meta

MC_SERVICE_ID = Meta(description="MC service ID")
MC_SYSTEM_ID = Meta(description="MC system ID")
THIS_SYSTEM = Meta(description="MC system ID of this ACM server")
PARTNER = Meta(description="MC system ID of the partner")
PRIMARY = Meta(description="MC system ID of the primary system")
ROLE = Meta(description="which of the two this system is")
SPEAKER = Meta(description="MC system ID of the system that says this: the receiver of the message")
SPOKEN_TO = Meta(description="MC system ID of the sender of the message")
SENDER = Meta(description="MC system ID of the sender")
RECEIVER = Meta(description="MC system ID of the receiver")
ORGANISATION = Meta(description="name of the organisation")
CONTACT = Meta(description="whom to call")

EXCHANGE = Meta(description="id of the exchange")
STATE = Meta(description="state of the exchange, see docs/protocol/rules.md#states")
STATE_NOW = Meta(description="its state now")
MESSAGE = Meta(description="number of the message")
MESSAGE_TYPE = Meta(description="type of the message")
MINTED_AT = Meta(description="when it was minted")
VERSION = Meta(description="`1.0`")
DIGEST_OF_BODY = Meta(description="SHA-256 of its body, 64 hexadecimal digits")
ATTEMPTS = Meta(description="how often it was sent so far")
NEXT_ATTEMPT_AT = Meta(description="when it is sent again at the earliest")
TEXT_FOR_PARTNER = Meta(description="what the other system shall read")
REASON_FOR_PARTNER = Meta(description="why, for the partner to read")

USERS = Meta(
    description="MC service IDs of the users who shall be allowed to migrate: 1 to 10,000, each once, each of a realm "
    "of the sender. Empty where the sender gives unasked"
)
PURPOSE = Meta(description="why, for the person who decides; no control characters")
ADDRESSEE = Meta(description="who shall decide; absent: whoever may")
URGENCY = Meta(description="`normal` where absent; information for people and policy")
REFERENCE = Meta(description="agreement or incident; no control characters")
ADMITTED_FROM = Meta(description="from when the users shall be admitted")
ADMITTED_UNTIL = Meta(
    description="until when; later than `valid_from`, or than `created_at` where that is absent"
)
ASKER = Meta(description="the asker of the request; without alias")

OUTCOME = Meta(
    description="follows from the verdicts: all approved, some, none; `expired` takes the place of `declined` where "
    "nobody decided in time"
)
DECIDED_AT = Meta(description="when it was decided (step 12, or step 6)")
DECIDED_BY = Meta(description="MC service ID of the person")
ONCE_DECIDED = Meta(description="once decided")
VERDICTS = Meta(
    description="together they name each user of the request exactly once; exactly one where it names none"
)
PUBLIC_REASON = Meta(description="public reason")
GRANTED_FROM = Meta(description="what is granted; absent: no bound. Absent unless somebody is approved")
GRANTED_UNTIL = Meta(description="what is granted; absent: no end. Absent unless somebody is approved")
USERS_APPROVED = Meta(description="how many users are approved")

CATALOGUE = Meta(description="version of the partner's server identity information")
SERVER_IDENTITY = Meta(description="the rows (docs/protocol/kinds/server-identity.md#rows)")
ENTERED_AT = Meta(description="when it was entered")
ENTERED_BY = Meta(description="MC service ID of who entered it")
TEMPLATE_VERSION = Meta(description="version of the template; 0: the defaults")

ROLES = Meta(description="names of roles, see docs/acm1.md#roles-and-permissions")
AUTOMATIC = Meta(description="a service account")
NEEDED = Meta(description="how many operators it takes to give somebody a role")
RULE_NAME = Meta(description="name of the rule")

NEXT = Meta(description="the `after` of the next page; absent on the last (docs/acm1.md#paging)")
NEWEST_FIRST = Meta(description="newest first")
OLDEST_FIRST = Meta(description="oldest first")
