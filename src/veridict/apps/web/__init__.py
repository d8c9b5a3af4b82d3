"""The dashboard: a JSON API over a running node, server-sent events, and static pages."""
