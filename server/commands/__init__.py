"""What `tadbot-server` can be told, one file a command; `server.__main__` reads the words."""
