"""The console: ACM-1 in a browser. Pages are rendered here, and everything they show or do is a call of ACM-1.

A request's way: `app` finds the row of `routes`, who has signed in, and what they may; the page's function asks ACM-1
through its `Visit` and renders a template of `templates`, whose words are all in `texts`. The page works as it is;
`static/console.js` only makes it livelier: an event of the notification stream has the page fetched again, and what
is marked `data-live` in it exchanged.
"""
