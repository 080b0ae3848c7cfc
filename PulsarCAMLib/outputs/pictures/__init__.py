"""Pictures of results for people, drawn by Matplotlib without its global state; imported when a picture is drawn."""
