"""The fleet at a glance: what the start page and `/dashboard/...` tell. No page, no request."""
