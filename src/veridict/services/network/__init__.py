"""The network's plots: learn, forecast, plan, retrain; from a file or any EVM node.

source     where blocks come from
follow     the forecaster kept at the head, through reorganisations and lies
shelf      models and planner in a folder
learning   learn all; learn again on a schedule, and keep what is better
attesting  forecasts as predictions in a node's log
outlook    what is shown: fan, load, inclusion, plan; kept by views
ledger     what rules would have saved, month by month
desk       all of it, opened for a home
"""
