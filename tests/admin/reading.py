"""Pages as a reader sees them."""

import html
import re


def words(response) -> str:
    """The text of a page: no tags, single spaces."""
    assert response.status_code == 200
    body = re.sub(r"<(script|style).*?</\1>", "", response.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())
