"""Redis: the connection, what is read through it, and the files that its data lies in."""
