"""What can happen, what is looked for, and what a record is: plain values, without behaviour over time."""
