"""Pages for screen and paper: a scan's report, a cohort's agreement, model cards."""
