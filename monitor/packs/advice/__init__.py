"""What is allowed in a rule and likely to be regretted, and what tools really send."""
