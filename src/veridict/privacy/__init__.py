"""What must be forgettable: a key for every subject, and how keys are destroyed for good.

Reading order: vault (the face), slots (the keys, each wrapped), wrapping, master (the one secret).
"""
