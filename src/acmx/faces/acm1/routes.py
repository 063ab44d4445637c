"""The table of routes of ACM-1: what is served, who may call it, what it takes and gives.

Authorisation, decoding, the OpenAPI document and its tests come from these rows.
"""

from acmx.domain import acm1
from acmx.domain.partnership import PartnerFile
from acmx.domain.records import Checkpoints, EvidenceFile, Purged, PurgeInput, SealedRows, SignedCheckpoint
from acmx.faces.acm1 import (
    account_changes,
    accounts,
    evidence,
    operations,
    partners,
    provisioning,
    records,
    requests,
    rules,
)
from acmx.faces.acm1.calls import Served

ROUTES: tuple[Served, ...] = (
    Served("POST", "/requests", None, requests.post_request, acm1.Submission, acm1.Accepted, 201),
    Served(
        "GET", "/requests", "read-own", requests.get_requests, None, acm1.Page, query=("state", "partner")
    ),
    Served("GET", "/requests/{id}", "read-own", requests.get_request, None, acm1.Exchange),
    Served(
        "POST",
        "/requests/{id}/withdrawal",
        "withdraw",
        requests.post_withdrawal,
        acm1.WithdrawalInput,
        acm1.Accepted,
    ),
    Served("POST", "/requests/{id}/retrieval", "retrieve", requests.post_retrieval, None, acm1.Answer),
    Served("POST", "/requests/{id}/review", "review", requests.post_review, acm1.Review, acm1.Reviewed),
    Served(
        "POST",
        "/requests/{id}/revocation",
        "review",
        requests.post_revocation,
        acm1.RevocationInput,
        acm1.Revoked,
    ),
    Served(
        "POST",
        "/requests/{id}/questions",
        "review",
        requests.post_question,
        acm1.TextInput,
        acm1.Accepted,
        201,
    ),
    Served(
        "POST", "/requests/{id}/answers", "answer", requests.post_answer, acm1.AnswerInput, acm1.Accepted, 201
    ),
    Served("GET", "/pending", "read-own", requests.get_pending, None, acm1.Pending),
    Served("GET", "/partners", "partners-read", partners.get_partners, None, acm1.Partners),
    Served("GET", "/partners/{id}", "partners-read", partners.get_partner, None, acm1.Partner),
    Served("POST", "/partners", "partners", partners.post_partner, PartnerFile, acm1.Partner, 201),
    Served(
        "POST",
        "/partners/{id}/acceptance",
        "partners",
        partners.post_acceptance,
        acm1.Acceptance,
        acm1.Partner,
    ),
    Served(
        "POST",
        "/partners/{id}/suspension",
        "partners",
        partners.post_suspension,
        acm1.Suspension,
        acm1.Partner,
    ),
    Served("POST", "/partners/{id}/resumption", "partners", partners.post_resumption, None, acm1.Partner),
    Served("POST", "/partners/{id}/removal", "partners", partners.post_removal, acm1.Removal, acm1.Partner),
    Served("PUT", "/partners/{id}/terms", "partners", partners.put_terms, acm1.Terms, acm1.Partner),
    Served("POST", "/partners/{id}/comparison", "partners", partners.post_comparison, None, acm1.Partner),
    Served("GET", "/partners/{id}/change", "partners-read", partners.get_change, None, acm1.PartnerChange),
    Served(
        "POST",
        "/partners/{id}/change/confirmation",
        "partners",
        partners.post_confirmation,
        acm1.Confirmation,
        acm1.Partner,
    ),
    Served(
        "PUT", "/partners/{id}/approvals", "partners", partners.put_approvals, acm1.Approvals, acm1.Partner
    ),
    Served("GET", "/partner-file", "partners-read", partners.get_partner_file, None, PartnerFile),
    Served("GET", "/server-identities", "identities-read", rules.get_identities, None, acm1.Identities),
    Served("GET", "/server-identities/holders", "identities-read", rules.get_holders, None, acm1.Holders),
    Served(
        "GET",
        "/server-identities/{version}",
        "identities-read",
        rules.get_identities_version,
        None,
        acm1.Identities,
    ),
    Served(
        "PUT", "/server-identities", "identities", rules.put_identities, acm1.NewIdentities, acm1.Identities
    ),
    Served(
        "GET",
        "/requests/{id}/documents",
        "read-own",
        provisioning.get_documents,
        None,
        acm1.Documents,
        query=("rel13",),
    ),
    Served(
        "GET", "/partners/{id}/template", "identities-read", provisioning.get_template, None, acm1.Template
    ),
    Served(
        "PUT",
        "/partners/{id}/template",
        "identities",
        provisioning.put_template,
        acm1.NewTemplate,
        acm1.Template,
    ),
    Served(
        "POST",
        "/requests/{id}/provisionings",
        "provision",
        provisioning.post_provisioning,
        acm1.NewProvisioning,
        acm1.Provisioning,
        201,
    ),
    Served(
        "GET",
        "/requests/{id}/provisionings",
        "provision",
        provisioning.get_provisionings,
        None,
        acm1.Provisionings,
    ),
    Served("GET", "/provisionings/{id}", "provision", provisioning.get_provisioning, None, acm1.Provisioning),
    Served(
        "GET",
        "/provisionings/{id}/rows",
        "provision",
        provisioning.get_provisioning_rows,
        None,
        acm1.ProvisioningRows,
        query=("state",),
    ),
    Served(
        "POST",
        "/provisionings/{id}/cancellation",
        "provision",
        provisioning.post_cancellation,
        None,
        acm1.Provisioning,
    ),
    Served("GET", "/policy", "policy-read", rules.get_policy, None, acm1.Policy),
    Served("PUT", "/policy", "policy", rules.put_policy, acm1.PolicyInput, acm1.Policy),
    Served("POST", "/policy/check", "policy-read", rules.post_policy_check, acm1.PolicyInput, acm1.Policy),
    Served("POST", "/policy/trial", "policy-read", rules.post_policy_trial, acm1.Trial, acm1.TrialPage),
    Served("GET", "/requests/{id}/explanation", "read-own", rules.get_explanation, None, acm1.Explanation),
    Served("GET", "/roles", "read-own", rules.get_roles, None, acm1.Roles),
    Served("GET", "/accounts", "accounts", accounts.get_accounts, None, acm1.Accounts),
    Served("POST", "/accounts", "accounts", accounts.post_account, acm1.NewAccount, acm1.Account, 201),
    Served("PATCH", "/accounts/{name}", "accounts", accounts.patch_account, acm1.AccountChange, acm1.Account),
    Served("POST", "/accounts/{name}/disablement", "accounts", accounts.post_disablement, None, acm1.Account),
    Served("POST", "/accounts/{name}/enablement", "accounts", accounts.post_enablement, None, acm1.Account),
    Served("POST", "/accounts/{name}/choice", "accounts", accounts.post_choice, None, acm1.Account),
    Served("POST", "/accounts/{name}/unlocking", "accounts", accounts.post_unlocking, None, acm1.Account),
    Served(
        "GET", "/account-changes", "accounts", account_changes.get_account_changes, None, acm1.WaitingChanges
    ),
    Served(
        "POST",
        "/account-changes/{id}/approval",
        "accounts",
        account_changes.post_change_approval,
        None,
        acm1.WaitingChange,
    ),
    Served(
        "POST",
        "/account-changes/{id}/refusal",
        "accounts",
        account_changes.post_change_refusal,
        acm1.ChangeRefusal,
        acm1.WaitingChange,
    ),
    Served(
        "GET",
        "/account-approvals",
        "accounts",
        account_changes.get_account_approvals,
        None,
        acm1.AccountApprovalsSet,
    ),
    Served(
        "PUT",
        "/account-approvals",
        "accounts",
        account_changes.put_account_approvals,
        acm1.AccountApprovals,
        acm1.AccountApprovalsSet,
    ),
    Served("GET", "/vouched", "accounts", account_changes.get_vouched, None, acm1.VouchedPeople),
    Served(
        "POST", "/vouched/freeing", "accounts", account_changes.post_freeing, acm1.Freed, acm1.VouchedPerson
    ),
    Served("POST", "/partners/{id}/check", "links", operations.post_partner_check, None, acm1.Findings),
    Served("GET", "/outbox", "links", operations.get_outbox, None, acm1.OutboxPage, query=("partner",)),
    Served("POST", "/outbox/retry", "links", operations.post_retry, acm1.Retry, acm1.Retried),
    Served("GET", "/health", "health", operations.get_health, None, acm1.Health),
    Served(
        "POST", "/clock/confirmation", "clock", operations.post_clock_confirmation, None, acm1.ClockStanding
    ),
    Served(
        "GET",
        "/audit",
        "audit",
        records.get_audit,
        None,
        acm1.AuditPage,
        query=("event", "actor", "exchange"),
    ),
    Served("GET", "/audit/rows", "audit", evidence.get_rows, None, SealedRows, query=("since",)),
    Served("GET", "/audit/checkpoints", "audit", evidence.get_checkpoints, None, Checkpoints),
    Served("GET", "/audit/checkpoint", "audit", evidence.get_checkpoint, None, SignedCheckpoint),
    Served(
        "POST",
        "/audit/fork/acknowledgement",
        "forks",
        evidence.post_acknowledgement,
        acm1.Acknowledgement,
        acm1.Acknowledged,
    ),
    Served("POST", "/requests/{id}/evidence", "evidence", evidence.post_evidence, None, EvidenceFile),
    Served("POST", "/purge", "purge", evidence.post_purge, PurgeInput, Purged),
    Served("GET", "/news", "read-own", records.get_news, None, acm1.NoticePage),
    Served("GET", "/notices", "audit", records.get_notices, None, acm1.NoticePage),
    Served("POST", "/password", "read-own", accounts.post_password, acm1.PasswordChange, acm1.Account),
    Served("GET", "/session", "read-own", accounts.get_session, None, acm1.Standing),
    Served("DELETE", "/session", "read-own", accounts.delete_session, None, acm1.Standing),
)
