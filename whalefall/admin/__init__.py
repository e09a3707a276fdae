"""Pages of people, tokens and logs. The site and the bases of all pages are in
`whalefall.console`.
"""

from whalefall.admin import audit, logs, people, tokens

__all__ = ["audit", "logs", "people", "tokens"]
