"""Who wants to be told of what, and what each is told; nothing here knows of sockets."""
