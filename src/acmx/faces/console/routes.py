"""The table of pages: who may open each, and which stand in the navigation, in this order."""

from acmx.faces.console import (
    answers,
    door,
    exchange,
    exchanges,
    inbox,
    new_request,
    news,
    review,
    withdrawals,
)
from acmx.faces.console.visit import Page

PAGES: tuple[Page, ...] = (
    Page("GET", "/inbox", "read-own", inbox.get_inbox, "inbox"),
    Page("GET", "/exchanges", "read-own", exchanges.get_exchanges, "exchanges"),
    Page("GET", "/news", "read-own", news.get_news),
    Page("GET", "/exchanges/{id}", "read-own", exchange.get_exchange),
    Page("GET", "/exchanges/{id}/review", "review", review.get_review),
    Page("POST", "/exchanges/{id}/review", "review", review.post_review),
    Page("POST", "/exchanges/{id}/decision", "review", review.post_decision),
    Page("POST", "/exchanges/{id}/question", "review", review.post_question),
    Page("GET", "/exchanges/{id}/answer", "answer", answers.get_answer),
    Page("POST", "/exchanges/{id}/answer", "answer", answers.post_answer),
    Page("POST", "/exchanges/{id}/retrieval", "retrieve", answers.post_retrieval),
    Page("GET", "/exchanges/{id}/withdrawal", "withdraw", withdrawals.get_withdrawal),
    Page("POST", "/exchanges/{id}/withdrawal", "withdraw", withdrawals.post_withdrawal),
    Page("POST", "/exchanges/{id}/evidence", "evidence", exchange.post_evidence),
    Page("GET", "/requests/new", "submit", new_request.get_request, "new_request"),
    Page("POST", "/requests/new", "submit", new_request.post_draft),
    Page("POST", "/requests", "submit", new_request.post_request),
    Page("GET", "/giving/new", "give", new_request.get_giving, "new_giving"),
    Page("POST", "/giving/new", "give", new_request.post_giving_draft),
    Page("POST", "/giving", "give", new_request.post_giving),
    Page("POST", "/sign-out", "read-own", door.sign_out),
)
