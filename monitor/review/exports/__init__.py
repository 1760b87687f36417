"""Records on their way out: a document, Markdown, a table, a public version, a case that another monitor can run."""
