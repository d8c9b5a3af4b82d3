"""The plots: predict and verify, anchor, settle, audit, dispute; and the demo over them."""
