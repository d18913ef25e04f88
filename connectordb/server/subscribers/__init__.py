"""Who has subscribed to what, and what each subscriber is told. Nothing here knows about sockets."""
