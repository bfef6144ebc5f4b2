"""Jobs: the table of all of them, and the page of one."""
