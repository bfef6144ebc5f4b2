"""New job: from a provider to a job that runs, and the same steps to change one."""
