"""Justice flow: the funnel, open cases and their forecast, and the caseload of probation."""
