"""What people who run a server need: its log, its figures, its health, and notifications to the service manager."""
