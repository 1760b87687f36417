"""Everything that is kept: tables, transactions, the SQL journal and migrations, on SQLite and PostgreSQL.

The only package that knows SQLAlchemy; it decides nothing about near misses.
"""
