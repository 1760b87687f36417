"""Review where people are: drafts, decisions, shift reports and warnings in chats and by mail. Never a page."""
