"""What is remembered: policy, journal, records, state. SQL lives here and nowhere else."""
