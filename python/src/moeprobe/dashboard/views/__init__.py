"""What pages show, as plain data: functions that ask nobody."""
