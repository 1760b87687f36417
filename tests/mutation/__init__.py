"""Small faults put into the code on purpose, one at a time: the tests beside that code have to notice each of them."""
