"""An audit pack: one file in which a log lies open to a stranger, and the ten questions he asks it.

layout      what lies where, format veridict-audit-pack/1
archive     the ZIP file, read as if its writer were an enemy
writing     export: from a node's evidence to a pack
reading     Pack: the log and the models as the pack holds them, and what is wrong with it
questions/  one file a question
examine     asks all ten of a pack, or of a node
page        the answers as one HTML file
"""
