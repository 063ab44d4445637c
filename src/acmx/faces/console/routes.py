"""The table of pages: who may open each, and which stand in the navigation, in this order."""

from acmx.faces.console import answers, door, exchange, exchanges, inbox, news, review
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
    Page("GET", "/exchanges/{id}/answer", "submit", answers.get_answer),
    Page("POST", "/exchanges/{id}/answer", "submit", answers.post_answer),
    Page("POST", "/exchanges/{id}/retrieval", "retrieve", answers.post_retrieval),
    Page("POST", "/sign-out", "read-own", door.sign_out),
)
