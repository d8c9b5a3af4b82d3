"""What is tried and acts on nothing: pilots, challengers, and alarms that data have changed."""
