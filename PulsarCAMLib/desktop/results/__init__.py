"""The panel's results: settings, tables, looks, files."""
