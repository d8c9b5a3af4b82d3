"""What must be forgettable: a key for every subject, and how keys are destroyed for good.

Reading order: vault (the face), slots (the keys, each wrapped), slotfile and master (in files,
and the one secret), shared (in a database, and a secret for each host).
"""
