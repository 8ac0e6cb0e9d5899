"""What is promised to those who run the server, against a real one."""
