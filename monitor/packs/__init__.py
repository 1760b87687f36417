"""What people write in YAML becomes values of the core here: rules, catalogues, examples, each with located errors."""
