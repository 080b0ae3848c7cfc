"""Stand-ins for the desktop and makers of scenes, for tests only."""
