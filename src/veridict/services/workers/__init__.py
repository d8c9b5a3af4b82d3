"""One stream decided by many workers, each with the partitions it holds, its node and its log.

worker      takes its share of the partitions, goes on where others ended, decides
partition   one of them: events → features → claim → decision → log → acknowledge
known       what a partition remembers: features, detectors, ids
claiming    what a claim says, and how it reaches the log, also after a kill
sending     payments into the stream
"""
