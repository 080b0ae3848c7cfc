"""Results to take away: volumes, tables, pictures and pages, one file per format; nothing heavy is imported early."""
