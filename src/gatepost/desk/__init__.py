"""What people may do; the command line and the console call the same functions."""
