"""The admin console: its site, the bases of its pages, its menu and start page.

The apps register their pages, cards and extensions from their own `admin.py`; nothing here knows
them. It is a package of its own because a module that registers pages cannot also hold the site:
Django makes the site when the first page asks for it.
"""
