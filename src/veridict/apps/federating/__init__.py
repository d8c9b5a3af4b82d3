"""Members of a federation on their own machines, talking over mutual TLS.

Reading order: cards (who is where), tls (who may talk), serving and peers (the two ends of a
connection), home (a member's folder), running (the loop).
"""
